-- Provider events: what an email provider reports about emails by webhook.

-- Returns the severity of a reported status. A status is only replaced by a more severe one, so that events may arrive
-- in any order.
create function gatepost.email_severity(p_status text) returns integer
language sql immutable set search_path = ''
as $$
  select coalesce(
    array_position(array['sent', 'delayed', 'delivered', 'failed', 'suppressed', 'bounced', 'complained'], p_status), 0
  );
$$;


-- Returns the severity of what the provider has reported about an email. 0 means nothing yet: then any report overrides
-- the status that we assumed.
create function gatepost.reported_severity(p_email gatepost.emails) returns integer
language sql immutable set search_path = ''
as $$
  select case when p_email.provider_id is null then 0 else gatepost.email_severity(p_email.status) end;
$$;


-- Records an event of a provider once and returns whether it is new. An event whose email is not known yet is kept
-- until it is. p_detail may hold `message` (what went wrong) and `suppress` (the reason to put the recipient on the
-- suppression list).
create function gatepost.record_provider_event(
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
  -- Our own id (from the tag) takes precedence: it is known before the provider's id is.
  perform gatepost.apply_email_event(new_id, e.id)
  from gatepost.emails e
  where e.id = p_email_id
    or e.provider_id = p_provider_id and not exists (select from gatepost.emails t where t.id = p_email_id)
  limit 1;
  return true;
end;
$$;


-- Assigns an event to its email and applies it: status, provider id and suppression.
create function gatepost.apply_email_event(p_event_id bigint, p_email_id uuid) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  event record;
  reported text;
begin
  update gatepost.email_events v set email_id = p_email_id
  where v.id = p_event_id and v.email_id is null
  returning v.type, v.provider_id, v.detail into event;
  if not found then
    return;
  end if;

  -- Any other event, such as an open, implies that the email was sent.
  reported := case when gatepost.email_severity(event.type) > 0 then event.type else 'sent' end;
  update gatepost.emails e
  set status = reported,
      error_code = case when event.detail ? 'message' then event.type end,
      error_message = event.detail ->> 'message'
  where e.id = p_email_id and gatepost.email_severity(reported) > gatepost.reported_severity(e);
  update gatepost.emails e set provider_id = event.provider_id
  where e.id = p_email_id and e.provider_id is null;

  insert into gatepost.email_suppressions as s (email, reason, note, email_id, created_by)
  select lower(e.recipient), event.detail ->> 'suppress', event.detail ->> 'message', e.id, 'provider'
  from gatepost.emails e
  where e.id = p_email_id and event.detail ? 'suppress' and e.erased_at is null
  -- A bounce or a complaint also applies to security emails, which a suppression by hand does not.
  on conflict (email) do update
  set reason = excluded.reason, note = excluded.note, email_id = excluded.email_id, created_by = excluded.created_by
  where s.reason = 'manual';
end;
$$;


-- Assigns events that arrived before the provider's ids were known to their emails; without ids, all waiting events.
create function gatepost.match_email_events(p_provider_ids text[] default null) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  perform gatepost.apply_email_event(v.id, e.id)
  from gatepost.email_events v
  join gatepost.emails e using (provider_id)
  where v.email_id is null and (p_provider_ids is null or v.provider_id = any (p_provider_ids))
  -- the same order in all concurrent calls
  order by v.id;
end;
$$;


revoke execute on all functions in schema gatepost from public;
