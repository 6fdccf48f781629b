-- The provider: how it does, and what it tells of messages.

-- Notes what went wrong with a transport. At the pace's fault requests wait; the account's pauses everything for a minute
-- and longer each time; what passes does so after five failures in a row. What was on its way when a pause began counts
-- no more: else a moment's trouble of many requests would look like a long one.
create function gatepost.note_trouble(
  p_dispatch gatepost.email_dispatches,
  p_fault text,
  p_code text,
  p_words text,
  p_delay interval,
  p_pace double precision
) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  update gatepost.email_transports t
  set pace = coalesce(p_pace, t.pace),
      next_slot = case when p_fault = 'pace' then greatest(t.next_slot, clock_timestamp() + p_delay) else t.next_slot end,
      -- Whatever the fault, an answer to the probe is one: the next may go.
      paused_until = case when t.probe = p_dispatch.id then clock_timestamp() else t.paused_until end
  where t.name = p_dispatch.transport;

  update gatepost.email_transports t
  set failures = t.failures + 1
  where t.name = p_dispatch.transport and p_fault in ('account', 'passing')
    and (t.trouble_code is null or t.probe = p_dispatch.id);
  if not found then
    return;
  end if;
  update gatepost.email_transports t
  set trouble_code = p_code, trouble_words = p_words, trouble_since = coalesce(t.trouble_since, clock_timestamp()),
      paused_until = clock_timestamp() + case p_fault
        when 'account' then least(interval '1 minute' * 2 ^ least(t.failures - 1, 4), '15 minutes')
        else least(interval '1 second' * 2 ^ least(greatest(t.failures - 5, 0), 6), '1 minute')
      end
  where t.name = p_dispatch.transport and (p_fault = 'account' or t.trouble_code is not null or t.failures >= 5);
end;
$$;


-- How bad is what the provider tells: it only gets worse, in whatever order it is told.
create function gatepost.email_severity(p_status text) returns integer
language sql immutable set search_path = ''
as $$
  select coalesce(
    array_position(array['sent', 'delayed', 'delivered', 'failed', 'suppressed', 'bounced', 'complained'], p_status), 0
  );
$$;


-- How bad is what the provider has told of a message. 0: nothing yet, and any word of its own overrules what we think.
create function gatepost.told_severity(p_email gatepost.emails) returns integer
language sql immutable set search_path = ''
as $$
  select case when p_email.provider_id is null then 0 else gatepost.email_severity(p_email.status) end;
$$;


-- Takes what the provider tells, each event once, and says whether it is new. An event whose message is not known yet
-- waits for it. The detail's `suppress` says why the address is not written to any more, its `words` what went wrong.
create function gatepost.note_provider_event(
  p_event_id text,
  p_provider_id text,
  p_email_id uuid,
  p_at timestamptz,
  p_type text,
  p_detail jsonb
) returns boolean
language plpgsql volatile set search_path = ''
as $$
declare
  new_id bigint;
begin
  insert into gatepost.email_events (at, type, detail, provider_event_id, provider_id)
  values (p_at, p_type, p_detail, p_event_id, p_provider_id)
  on conflict (provider_event_id) do nothing
  returning id into new_id;
  if new_id is null then
    return false;
  end if;
  -- Our tag counts before the provider's id: it is there before we know that id.
  perform gatepost.apply_email_event(new_id, e.id)
  from gatepost.emails e
  where e.id = p_email_id
    or e.provider_id = p_provider_id and not exists (select from gatepost.emails t where t.id = p_email_id)
  limit 1;
  return true;
end;
$$;


-- Gives an event to its message, with all that follows from it.
create function gatepost.apply_email_event(p_event_id bigint, p_email_id uuid) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  event record;
  told text;
begin
  update gatepost.email_events v set email_id = p_email_id
  where v.id = p_event_id and v.email_id is null
  returning v.type, v.provider_id, v.detail into event;
  if not found then
    return;
  end if;

  -- Whatever else is told of a message, such as that it was opened: it went out.
  told := case when gatepost.email_severity(event.type) > 0 then event.type else 'sent' end;
  update gatepost.emails e set status = told, last_error = event.detail ->> 'words'
  where e.id = p_email_id and gatepost.email_severity(told) > gatepost.told_severity(e);
  update gatepost.emails e set provider_id = event.provider_id
  where e.id = p_email_id and e.provider_id is null;

  insert into gatepost.email_suppressions (email, reason, note, email_id, created_by)
  select lower(e.recipient), event.detail ->> 'suppress', event.detail ->> 'words', e.id, 'provider'
  from gatepost.emails e
  where e.id = p_email_id and event.detail ? 'suppress'
  on conflict (email) do nothing;
end;
$$;


-- Gives events that came before we knew the provider's ids to their messages; without ids, all that wait.
create function gatepost.match_email_events(p_provider_ids text[] default null) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  perform gatepost.apply_email_event(v.id, e.id)
  from gatepost.email_events v
  join gatepost.emails e using (provider_id)
  where v.email_id is null and (p_provider_ids is null or v.provider_id = any (p_provider_ids))
  -- whoever else does the same takes them in the same order
  order by v.id;
end;
$$;


revoke execute on all functions in schema gatepost from public;
