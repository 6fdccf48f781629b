-- Settling: what becomes of a dispatch, and of the messages in it.

-- Ends some messages that were not sent, or of which nobody knows: each with the words that say why.
create function gatepost.end_emails(p_email_ids uuid[], p_status text, p_code text, p_words text) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  update gatepost.emails e set status = p_status, dispatch_id = null, last_error = p_words
  where e.id = any (p_email_ids);
  perform gatepost.erase_secrets(p_email_ids);
  perform gatepost.note_email_event(p_email_ids, p_status, jsonb_build_object('code', p_code, 'words', p_words));
end;
$$;


-- Erases what security mail held that an application queued with links and codes of its own: it is needed no longer. In
-- our own notices stand marks in the links' place.
create function gatepost.erase_secrets(p_email_ids uuid[]) returns void
language sql volatile set search_path = ''
as $$
  update gatepost.emails e set payload = null, variables = '{}'
  where e.id = any (p_email_ids) and e.security and e.notice is null;
$$;


-- Ends what is late: messages in the queue, or in a dispatch that has not gone out.
create function gatepost.expire_emails(p_dispatch_id uuid default null) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  late uuid[];
  -- in a variable an index can use it
  now_is timestamptz := clock_timestamp();
begin
  if p_dispatch_id is null then
    select array_agg(e.id) into late from (
      select e.id from gatepost.emails e
      where e.status = 'queued' and e.expires_at <= now_is
      for update skip locked
    ) e;
  else
    select array_agg(e.id) into late from gatepost.emails e
    where e.dispatch_id = p_dispatch_id and e.expires_at <= now_is;
  end if;
  if late is not null then
    perform gatepost.end_emails(late, 'expired', 'expired', 'Its time was over before it could be sent.');
  end if;
end;
$$;


-- Ends messages of a dispatch that cannot be rendered, each with words of its own; the worker must have it in hand.
create function gatepost.fail_emails(p_dispatch_id uuid, p_worker uuid, p_email_ids uuid[], p_words text[]) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  perform from gatepost.email_dispatches d where d.id = p_dispatch_id and d.worker = p_worker for update;
  if found then
    perform gatepost.end_emails(array[failed.id], 'failed', 'not_rendered', failed.words)
    from unnest(p_email_ids, p_words) failed (id, words);
  end if;
end;
$$;


-- Puts the messages of a dispatch that surely did not go out back into the queue, to be due after a while. After five
-- days they fail (RFC 5321, 4.5.4.1: give up after four or five).
create function gatepost.release_dispatch(p_id uuid, p_delay interval) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  again timestamptz := clock_timestamp() + p_delay;
begin
  perform gatepost.end_emails(array[e.id], 'failed', 'gave_up', 'Given up after five days. ' || coalesce(e.last_error, ''))
  from gatepost.emails e
  where e.dispatch_id = p_id and e.status = 'sending' and again > coalesce(e.send_at, e.created_at) + interval '5 days';

  update gatepost.emails e
  set status = 'queued', dispatch_id = null, due_at = least(again, e.expires_at)
  where e.dispatch_id = p_id and e.status = 'sending';
  delete from gatepost.email_dispatches d where d.id = p_id;
end;
$$;


-- Ends a dispatch of unknown fate that cannot be repeated harmlessly.
create function gatepost.give_up_dispatch(p_id uuid, p_code text, p_words text) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  perform gatepost.end_emails(array[e.id], 'unknown', p_code, p_words)
  from gatepost.emails e where e.dispatch_id = p_id and e.status = 'sending';
  delete from gatepost.email_dispatches d where d.id = p_id;
end;
$$;


-- Settles a dispatch that was accepted. True whoever has it in hand by now.
create function gatepost.accept_dispatch(
  p_id uuid,
  p_transport text,
  p_email_ids uuid[],
  p_provider_ids text[],
  p_pace double precision,
  p_clock_off double precision
) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  -- Once: the same answer may come again, of a repeated request or because we did not hear that it was settled.
  with taken as (
    update gatepost.emails e
    set status = case when gatepost.told_severity(e) = 0 then 'sent' else e.status end,
        last_error = case when gatepost.told_severity(e) > 0 then e.last_error end,
        provider = p_transport, provider_id = accepted.provider_id, dispatch_id = null
    from unnest(p_email_ids, p_provider_ids) accepted (id, provider_id)
    where e.id = accepted.id and e.provider is null
    returning e.id, e.provider_id
  )
  insert into gatepost.email_events (email_id, type, detail)
  select taken.id, 'accepted', jsonb_strip_nulls(jsonb_build_object(
    'provider', p_transport, 'provider_id', taken.provider_id, 'clock_off', p_clock_off
  ))
  from taken;
  -- What is captured is nowhere else; in production nothing is.
  if p_transport <> 'capture' then
    perform gatepost.erase_secrets(p_email_ids);
  end if;
  delete from gatepost.email_dispatches d where d.id = p_id;
  perform gatepost.match_email_events(p_provider_ids);

  update gatepost.email_transports t
  set pace = coalesce(p_pace, t.pace), clock_off = p_clock_off, failures = 0, paused_until = '-infinity',
      trouble_code = null, trouble_words = null, trouble_since = null
  where t.name = p_transport and (
    t.failures > 0 or t.trouble_code is not null or t.clock_off is distinct from p_clock_off
    or t.pace is distinct from coalesce(p_pace, t.pace)
  );
end;
$$;


-- Settles a dispatch that was surely not accepted: by whose fault decides what follows. `p_delay`: until the next try.
create function gatepost.refuse_dispatch(
  p_id uuid,
  p_worker uuid,
  p_fault text,
  p_code text,
  p_words text,
  p_delay interval,
  p_pace double precision
) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  there gatepost.email_dispatches;
  members uuid[];
begin
  select * into there from gatepost.email_dispatches d where d.id = p_id and d.worker = p_worker for update;
  if not found then
    return;
  end if;
  select array_agg(e.id) into members from gatepost.emails e where e.dispatch_id = p_id and e.status = 'sending';
  perform gatepost.note_trouble(there, p_fault, p_code, p_words, p_delay, p_pace);

  if p_fault = 'message' and cardinality(members) = 1 then
    perform gatepost.end_emails(members, 'failed', p_code, p_words);
    delete from gatepost.email_dispatches d where d.id = p_id;
    return;
  end if;
  perform gatepost.defer_emails(members, p_fault, p_code, p_words);
  -- The same bytes would be refused as before, so that an earlier try cannot have been accepted.
  if there.uncertain and p_fault <> 'message' then
    update gatepost.email_dispatches d set worker = null, due_at = clock_timestamp() + p_delay where d.id = p_id;
  else
    perform gatepost.release_dispatch(p_id, p_delay);
  end if;
end;
$$;


-- Settles a dispatch of which nobody knows whether it was accepted: it is repeated under its key, or, where that can do
-- harm or was refused for good, given up.
create function gatepost.doubt_dispatch(
  p_id uuid,
  p_worker uuid,
  p_code text,
  p_words text,
  p_delay interval,
  p_final boolean
) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  there gatepost.email_dispatches;
begin
  select * into there from gatepost.email_dispatches d where d.id = p_id and d.worker = p_worker for update;
  if not found then
    return;
  end if;
  perform gatepost.note_trouble(there, 'passing', p_code, p_words, p_delay, null);
  if p_final or there.forgotten_at <= clock_timestamp() then
    perform gatepost.give_up_dispatch(p_id, p_code, p_words);
    return;
  end if;
  perform gatepost.defer_emails(array_agg(e.id), 'passing', p_code, p_words)
  from gatepost.emails e where e.dispatch_id = p_id and e.status = 'sending';
  update gatepost.email_dispatches d
  set uncertain = true, worker = null, due_at = clock_timestamp() + p_delay
  where d.id = p_id;
end;
$$;


-- Writes down why messages have to wait. Waiting for the pace is no attempt; what a batch was refused for, each of its
-- messages answers for alone.
create function gatepost.defer_emails(p_email_ids uuid[], p_fault text, p_code text, p_words text) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  update gatepost.emails e
  set attempts = e.attempts - (p_fault = 'pace')::integer, alone = e.alone or p_fault = 'message',
      last_error = case when p_fault = 'pace' then e.last_error else p_words end
  where e.id = any (p_email_ids);
  if p_fault <> 'pace' then
    perform gatepost.note_email_event(p_email_ids, 'deferred', jsonb_build_object('code', p_code, 'words', p_words));
  end if;
end;
$$;


revoke execute on all functions in schema gatepost from public;
