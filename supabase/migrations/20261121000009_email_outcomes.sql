-- Outcomes: what happens to a batch, to its emails and to its transport after an attempt.

-- Gives some emails a final status (suppressed, failed, expired or unknown) with the error that led to it.
create function gatepost.finish_emails(p_email_ids uuid[], p_status text, p_code text, p_message text default null)
  returns void
language plpgsql volatile set search_path = ''
as $$
begin
  update gatepost.emails e
  set status = p_status, batch_id = null, error_code = p_code, error_message = p_message
  where e.id = any (p_email_ids);
  perform gatepost.erase_email_secrets(p_email_ids);
  perform gatepost.record_email_event(
    p_email_ids, p_status, jsonb_strip_nulls(jsonb_build_object('code', p_code, 'message', p_message))
  );
end;
$$;


-- Erases the content, variables and attachments of emails with secrets that an application queued: they hold its own
-- links and codes. Gatepost's own notifications stay: they hold placeholders instead of links.
create function gatepost.erase_email_secrets(p_email_ids uuid[]) returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  with erased as (
    update gatepost.emails e set subject = null, payload = null, variables = '{}'
    where e.id = any (p_email_ids) and e.secret and e.notification is null
    returning e.id
  )
  delete from gatepost.email_attachments a using erased where a.email_id = erased.id;
$$;


-- Expires emails: those in the queue, or those of one batch that has not been sent yet.
create function gatepost.expire_emails(p_batch_id uuid default null) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  expired uuid[];
  -- a variable, because an index cannot be used with the volatile clock_timestamp()
  expired_at timestamptz := clock_timestamp();
begin
  if p_batch_id is null then
    select array_agg(e.id) into expired from (
      select e.id from gatepost.emails e
      where e.status = 'queued' and e.expires_at <= expired_at
      for update skip locked
    ) e;
  else
    select array_agg(e.id) into expired from gatepost.emails e
    where e.batch_id = p_batch_id and e.expires_at <= expired_at;
  end if;
  if expired is not null then
    perform gatepost.finish_emails(expired, 'expired', 'expired');
  end if;
end;
$$;


-- Fails emails of a batch that cannot be rendered, each with its own message. Does nothing if the worker has lost its
-- lease.
create function gatepost.fail_emails(p_batch_id uuid, p_worker uuid, p_email_ids uuid[], p_messages text[]) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  perform from gatepost.email_batches b where b.id = p_batch_id and b.worker = p_worker for update;
  if found then
    perform gatepost.finish_emails(array[failed.id], 'failed', 'rendering_failed', failed.message)
    from unnest(p_email_ids, p_messages) failed (id, message);
  end if;
end;
$$;


-- Puts the emails of a batch that was certainly not sent back into the queue, due after p_delay. After five days they
-- fail instead (RFC 5321, 4.5.4.1: give up after four or five days).
create function gatepost.requeue_batch(p_id uuid, p_delay interval) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  next_attempt_at timestamptz := clock_timestamp() + p_delay;
begin
  perform gatepost.finish_emails(array[e.id], 'failed', 'retries_exhausted', e.error_message)
  from gatepost.emails e
  where e.batch_id = p_id and e.status = 'sending'
    and next_attempt_at > coalesce(e.send_at, e.created_at) + interval '5 days';

  update gatepost.emails e
  set status = 'queued', batch_id = null, due_at = least(next_attempt_at, e.expires_at)
  where e.batch_id = p_id and e.status = 'sending';
  delete from gatepost.email_batches b where b.id = p_id;
end;
$$;


-- Marks the emails of a batch as unknown: it may have been sent and cannot be repeated safely.
create function gatepost.abandon_batch(p_id uuid, p_code text, p_message text default null) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  perform gatepost.finish_emails(array[e.id], 'unknown', p_code, p_message)
  from gatepost.emails e where e.batch_id = p_id and e.status = 'sending';
  delete from gatepost.email_batches b where b.id = p_id;
end;
$$;


-- Settles a batch that the transport has accepted, whichever worker holds its lease.
create function gatepost.settle_accepted_batch(
  p_id uuid,
  p_transport text,
  p_email_ids uuid[],
  p_provider_ids text[],
  p_requests_per_second double precision,
  p_clock_offset double precision
) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  -- Only once: the same answer arrives again if a request was repeated or if the result of this call was lost.
  with settled as (
    update gatepost.emails e
    set status = case when gatepost.reported_severity(e) = 0 then 'sent' else e.status end,
        error_code = case when gatepost.reported_severity(e) > 0 then e.error_code end,
        error_message = case when gatepost.reported_severity(e) > 0 then e.error_message end,
        provider = p_transport, provider_id = accepted.provider_id, batch_id = null
    from unnest(p_email_ids, p_provider_ids) accepted (id, provider_id)
    where e.id = accepted.id and e.provider is null
    returning e.id, e.provider_id
  )
  insert into gatepost.email_events (email_id, type, detail)
  select settled.id, 'accepted', jsonb_strip_nulls(jsonb_build_object(
    'provider', p_transport, 'provider_id', settled.provider_id, 'clock_offset', p_clock_offset
  ))
  from settled;
  -- The capture transport keeps emails only here, and it is not used in production.
  if p_transport <> 'capture' then
    perform gatepost.erase_email_secrets(p_email_ids);
  end if;
  delete from gatepost.email_batches b where b.id = p_id;
  perform gatepost.match_email_events(p_provider_ids);

  update gatepost.email_transports t
  set requests_per_second = coalesce(p_requests_per_second, t.requests_per_second), clock_offset = p_clock_offset,
      failures = 0, paused_until = '-infinity', error_code = null, error_message = null, error_since = null
  where t.name = p_transport and (
    t.failures > 0 or t.error_code is not null or t.clock_offset is distinct from p_clock_offset
    or t.requests_per_second is distinct from coalesce(p_requests_per_second, t.requests_per_second)
  );
end;
$$;


-- Settles a batch that was certainly not accepted. p_fault says why and so what follows: 'message' (the email itself is
-- rejected for good; a batch is split into single emails), 'account' or 'temporary' (retry), 'rate_limit' (retry, not
-- counted as an attempt). p_delay is the time until the next attempt. Does nothing if the worker has lost its lease.
create function gatepost.settle_rejected_batch(
  p_id uuid,
  p_worker uuid,
  p_fault text,
  p_code text,
  p_message text,
  p_delay interval,
  p_requests_per_second double precision
) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  batch gatepost.email_batches;
  email_ids uuid[];
begin
  select * into batch from gatepost.email_batches b where b.id = p_id and b.worker = p_worker for update;
  if not found then
    return;
  end if;
  select array_agg(e.id) into email_ids from gatepost.emails e where e.batch_id = p_id and e.status = 'sending';
  perform gatepost.record_transport_error(batch, p_fault, p_code, p_message, p_delay, p_requests_per_second);

  if p_fault = 'message' and cardinality(email_ids) = 1 then
    perform gatepost.finish_emails(email_ids, 'failed', p_code, p_message);
    delete from gatepost.email_batches b where b.id = p_id;
    return;
  end if;
  perform gatepost.defer_emails(email_ids, p_fault, p_code, p_message);
  -- With fault 'message' the same bytes are always rejected, so that an earlier attempt cannot have been accepted.
  if batch.uncertain and p_fault <> 'message' then
    update gatepost.email_batches b set worker = null, due_at = clock_timestamp() + p_delay where b.id = p_id;
  else
    perform gatepost.requeue_batch(p_id, p_delay);
  end if;
end;
$$;


-- Settles a batch of which it is unknown whether it was accepted: it is repeated under the same key after p_delay. It
-- is abandoned instead if repeating it cannot help (p_final) or the provider has forgotten the key. Does nothing if the
-- worker has lost its lease.
create function gatepost.settle_uncertain_batch(
  p_id uuid,
  p_worker uuid,
  p_code text,
  p_message text,
  p_delay interval,
  p_final boolean
) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  batch gatepost.email_batches;
begin
  select * into batch from gatepost.email_batches b where b.id = p_id and b.worker = p_worker for update;
  if not found then
    return;
  end if;
  perform gatepost.record_transport_error(batch, 'temporary', p_code, p_message, p_delay, null);
  if p_final or batch.key_expires_at <= clock_timestamp() then
    perform gatepost.abandon_batch(p_id, p_code, p_message);
    return;
  end if;
  perform gatepost.defer_emails(array_agg(e.id), 'temporary', p_code, p_message)
  from gatepost.emails e where e.batch_id = p_id and e.status = 'sending';
  update gatepost.email_batches b
  set uncertain = true, worker = null, due_at = clock_timestamp() + p_delay
  where b.id = p_id;
end;
$$;


-- Records why some emails have to wait. Waiting for the rate limit is not an error and does not count as an attempt.
-- Emails of a batch that was rejected with fault 'message' are sent alone from now on.
create function gatepost.defer_emails(p_email_ids uuid[], p_fault text, p_code text, p_message text) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  if p_fault = 'rate_limit' then
    update gatepost.emails e set attempts = e.attempts - 1 where e.id = any (p_email_ids);
    return;
  end if;
  update gatepost.emails e
  set alone = e.alone or p_fault = 'message', error_code = p_code, error_message = p_message
  where e.id = any (p_email_ids);
  perform gatepost.record_email_event(
    p_email_ids, 'deferred', jsonb_build_object('code', p_code, 'message', p_message)
  );
end;
$$;


-- Records an error of a batch's transport and pauses the transport if necessary. A fault of the account pauses it at
-- once, for a minute and longer each time; temporary faults do so after five consecutive failures. During a pause only
-- the outcome of the probe counts: requests that were under way when the pause began would make it longer.
create function gatepost.record_transport_error(
  p_batch gatepost.email_batches,
  p_fault text,
  p_code text,
  p_message text,
  p_delay interval,
  p_requests_per_second double precision
) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  update gatepost.email_transports t
  set requests_per_second = coalesce(p_requests_per_second, t.requests_per_second),
      next_send_at = case
        when p_fault = 'rate_limit' then greatest(t.next_send_at, clock_timestamp() + p_delay) else t.next_send_at
      end,
      -- The probe was answered, whatever the fault: the next batch may be sent.
      paused_until = case when t.probe_batch_id = p_batch.id then clock_timestamp() else t.paused_until end
  where t.name = p_batch.transport;

  update gatepost.email_transports t
  set failures = t.failures + 1
  where t.name = p_batch.transport and p_fault in ('account', 'temporary')
    and (t.error_code is null or t.probe_batch_id = p_batch.id);
  if not found then
    return;
  end if;
  update gatepost.email_transports t
  set error_code = p_code, error_message = p_message, error_since = coalesce(t.error_since, clock_timestamp()),
      paused_until = clock_timestamp() + case p_fault
        when 'account' then least(interval '1 minute' * 2 ^ least(t.failures - 1, 4), '15 minutes')
        else least(interval '1 second' * 2 ^ least(greatest(t.failures - 5, 0), 6), '1 minute')
      end
  where t.name = p_batch.transport and (p_fault = 'account' or t.error_code is not null or t.failures >= 5);
end;
$$;


revoke execute on all functions in schema gatepost from public;
