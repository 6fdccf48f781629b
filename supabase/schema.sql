CREATE SCHEMA gatepost;

CREATE FUNCTION gatepost.accept_dispatch(p_id uuid, p_transport text, p_email_ids uuid[], p_provider_ids text[], p_pace double precision, p_clock_off double precision) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION gatepost.act_as(p_actor text, p_reason text, p_ip inet) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform set_config('gatepost.actor', p_actor, true);
  perform set_config('gatepost.reason', coalesce(p_reason, ''), true);
  perform set_config('gatepost.ip', coalesce(host(p_ip), ''), true);
end;
$$;

CREATE FUNCTION gatepost.apply_email_event(p_event_id bigint, p_email_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION gatepost.attach_files(p_email_id uuid, p_files jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  insert into gatepost.email_attachments (email_id, place, filename, content_type, content)
  select p_email_id, a.place, a.file ->> 'filename', a.file ->> 'content_type', decode(a.file ->> 'content', 'base64')
  from jsonb_array_elements(p_files) with ordinality a (file, place);
exception
  when not_null_violation or invalid_parameter_value then
    raise exception 'p_attachments is no array of {filename, content_type, content in base64}' using errcode = 'GP422';
end;
$$;

CREATE FUNCTION gatepost.cancel_email(p_id uuid, p_actor text, p_ip inet) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  there text;
begin
  select e.status into there from gatepost.emails e where e.id = p_id for update;
  if not found then
    raise exception 'no such message' using errcode = 'GP404';
  elsif there <> 'queued' then
    raise exception 'the message is %', there using errcode = 'GP409';
  end if;
  update gatepost.emails e set status = 'canceled' where e.id = p_id;
  perform gatepost.note_email_event(array[p_id], 'canceled', jsonb_build_object('by', p_actor));
  perform gatepost.note_audit(p_actor, 'email.canceled', 'email:' || p_id, null, p_ip);
end;
$$;

CREATE FUNCTION gatepost.defer_emails(p_email_ids uuid[], p_fault text, p_code text, p_words text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION gatepost.defer_webhook(p_id uuid, p_worker uuid, p_delay interval, p_patience interval) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  delete from gatepost.webhook_deliveries d
  where d.id = p_id and d.worker = p_worker and d.created_at + p_patience <= clock_timestamp();
  if found then
    return true;
  end if;
  update gatepost.webhook_deliveries d
  set worker = null, due_at = least(clock_timestamp() + p_delay, d.created_at + p_patience)
  where d.id = p_id and d.worker = p_worker;
  return false;
end;
$$;

CREATE FUNCTION gatepost.delete_template(p_key text, p_actor text, p_ip inet) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  is_builtin boolean;
begin
  update gatepost.email_templates t
  set deleted_at = case when not t.builtin then now() end, samples = '{}'
  where t.key = p_key and t.deleted_at is null
  returning t.builtin into is_builtin;
  if not found then
    raise exception 'no such template' using errcode = 'GP404';
  end if;

  update gatepost.email_template_locales l
  set draft = null, diagnostics = '[]', draft_tag = null, published_version = null,
      updated_at = clock_timestamp(), updated_by = p_actor
  where l.key = p_key;

  perform gatepost.note_audit(
    p_actor, case when is_builtin then 'template.reset' else 'template.deleted' end, 'template:' || p_key, null, p_ip
  );
end;
$$;

CREATE FUNCTION gatepost.delete_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet, p_idle_timeout interval) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  revoked integer;
begin
  delete from gatepost.users u where u.id = p_user_id;
  if not found then
    raise exception 'no such person' using errcode = 'GP404';
  end if;
  revoked := gatepost.revoke_user_sessions(p_user_id, p_actor, p_reason, p_ip, p_idle_timeout);
  perform gatepost.note_audit(p_actor, 'person.deleted', 'person:' || p_user_id, p_reason, p_ip);
  return revoked;
end;
$$;

CREATE FUNCTION gatepost.demand_email(p_to text, p_reply_to text, p_variables jsonb, p_attachments jsonb, p_send_at timestamp with time zone, p_expires_at timestamp with time zone, p_idempotency_key text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  -- one address and nothing around it; RFC 5321, 4.5.3.1.3: 254 characters
  address constant text := '^[!#-''*-+\-./0-9=?A-Z^-~]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$';
  wrong text;
begin
  wrong := case
    when p_to is null or p_to !~ address or char_length(p_to) > 254 then 'p_to is no e-mail address'
    when p_reply_to !~ address or char_length(p_reply_to) > 254 then 'p_reply_to is no e-mail address'
    when p_variables is null or jsonb_typeof(p_variables) <> 'object' then 'p_variables is no object'
    when p_attachments is null or jsonb_typeof(p_attachments) <> 'array' then 'p_attachments is no array'
    when char_length(p_idempotency_key) not between 1 and 300 then 'p_idempotency_key has 1 to 300 characters'
    when p_expires_at <= greatest(p_send_at, now()) then 'p_expires_at is over before the message is sent'
  end;
  if wrong is not null then
    raise exception '%', wrong using errcode = 'GP422';
  end if;
end;
$_$;

CREATE FUNCTION gatepost.disable_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet, p_idle_timeout interval) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  revoked integer;
begin
  update gatepost.users u set disabled_at = coalesce(u.disabled_at, now()) where u.id = p_user_id;
  if not found then
    raise exception 'no such person' using errcode = 'GP404';
  end if;
  revoked := gatepost.revoke_user_sessions(p_user_id, p_actor, p_reason, p_ip, p_idle_timeout);
  perform gatepost.note_audit(p_actor, 'person.disabled', 'person:' || p_user_id, p_reason, p_ip);
  return revoked;
end;
$$;

CREATE FUNCTION gatepost.disown_session(p_user_id uuid, p_session_id uuid, p_ip inet) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  revoked integer;
begin
  perform gatepost.lock_sessions(p_user_id);
  update gatepost.users u set password_hash = '!', password_changed_at = now() where u.id = p_user_id;
  update gatepost.sessions s
  set ended_at = clock_timestamp(), end_reason = 'not_me', ended_by = p_user_id
  where s.user_id = p_user_id and s.ended_at is null;
  get diagnostics revoked = row_count;
  perform gatepost.note_audit(
    'person:' || p_user_id, 'session.disowned', 'session:' || p_session_id, null, p_ip,
    jsonb_build_object('ended', revoked)
  );
  return revoked;
end;
$$;

CREATE FUNCTION gatepost.doubt_dispatch(p_id uuid, p_worker uuid, p_code text, p_words text, p_delay interval, p_final boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION gatepost.email_severity(p_status text) RETURNS integer
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select coalesce(
    array_position(array['sent', 'delayed', 'delivered', 'failed', 'suppressed', 'bounced', 'complained'], p_status), 0
  );
$$;

CREATE FUNCTION gatepost.enable_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  update gatepost.users u set disabled_at = null where u.id = p_user_id;
  if not found then
    raise exception 'no such person' using errcode = 'GP404';
  end if;
  perform gatepost.note_audit(p_actor, 'person.enabled', 'person:' || p_user_id, p_reason, p_ip);
end;
$$;

CREATE FUNCTION gatepost.end_emails(p_email_ids uuid[], p_status text, p_code text, p_words text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  update gatepost.emails e set status = p_status, dispatch_id = null, last_error = p_words
  where e.id = any (p_email_ids);
  perform gatepost.erase_secrets(p_email_ids);
  perform gatepost.note_email_event(p_email_ids, p_status, jsonb_build_object('code', p_code, 'words', p_words));
end;
$$;

CREATE FUNCTION gatepost.end_lapsed_session(p_session_id uuid, p_idle_timeout interval) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  update gatepost.sessions s
  set ended_at = least(s.expires_at, s.last_active_at + p_idle_timeout),
      end_reason = gatepost.session_end_reason(s, p_idle_timeout)
  where s.id = p_session_id
    and s.ended_at is null
    and gatepost.session_end_reason(s, p_idle_timeout) is not null;
$$;

CREATE FUNCTION gatepost.end_lapsed_sessions(p_user_id uuid, p_idle_timeout interval) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select gatepost.end_lapsed_session(s.id, p_idle_timeout)
  from gatepost.sessions s
  where s.user_id = p_user_id and s.ended_at is null;
$$;

CREATE FUNCTION gatepost.erase_secrets(p_email_ids uuid[]) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  update gatepost.emails e set payload = null, variables = '{}'
  where e.id = any (p_email_ids) and e.security and e.notice is null;
$$;

CREATE FUNCTION gatepost.expire_emails(p_dispatch_id uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION gatepost.fail_emails(p_dispatch_id uuid, p_worker uuid, p_email_ids uuid[], p_words text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform from gatepost.email_dispatches d where d.id = p_dispatch_id and d.worker = p_worker for update;
  if found then
    perform gatepost.end_emails(array[failed.id], 'failed', 'not_rendered', failed.words)
    from unnest(p_email_ids, p_words) failed (id, words);
  end if;
end;
$$;

CREATE FUNCTION gatepost.find_queued_email(p_actor text, p_key text, p_hash bytea) RETURNS uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  there record;
begin
  select e.id, e.request_hash into there from gatepost.emails e
  where e.queued_by = p_actor and e.idempotency_key = p_key;
  if there.request_hash <> p_hash then
    raise exception 'this idempotency key stands for another message' using errcode = 'GP409';
  end if;
  return there.id;
end;
$$;

CREATE FUNCTION gatepost.find_template_words(p_template text, p_locale text, OUT version integer, OUT locale text) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select coalesce(l.published_version, 0), wanted.locale
  from unnest(array[p_locale, split_part(p_locale, '-', 1), 'en']) with ordinality wanted (locale, place)
  left join gatepost.email_template_locales l
    on l.key = p_template and l.locale = wanted.locale and l.published_version is not null
  left join gatepost.builtin_templates b on b.key = p_template and b.locale = wanted.locale
  where l.key is not null or b.key is not null
  order by wanted.place
  limit 1;
$$;

CREATE FUNCTION gatepost.form_dispatch(p_worker uuid, p_lease interval, p_transport text, p_most integer) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  first record;
  new_id uuid := gen_random_uuid();
  -- in a variable an index can use it
  now_is timestamptz := clock_timestamp();
begin
  select e.id, e.alone, e.template, e.expires_at into first
  from gatepost.emails e
  where e.status = 'queued' and e.due_at <= now_is
  order by e.security desc, e.due_at, e.id
  limit 1
  for update skip locked;
  if not found then
    return null;
  end if;

  insert into gatepost.email_dispatches (id, transport, worker, due_at)
  values (new_id, p_transport, p_worker, clock_timestamp() + p_lease);
  with due as (
    select e.id from gatepost.emails e
    where e.status = 'queued' and e.due_at <= now_is and (e.id = first.id or not (
      e.alone or first.alone or (e.expires_at is null) <> (first.expires_at is null)
      or (e.expires_at is not null and e.template <> first.template)
    ))
    order by e.security desc, e.due_at, e.id
    limit p_most
    for update skip locked
  ), placed as (
    select due.id, row_number() over () as place from due
  )
  update gatepost.emails e set status = 'sending', dispatch_id = new_id, place = placed.place
  from placed
  where e.id = placed.id;
  perform gatepost.end_emails(array[e.id], 'suppressed', s.reason, gatepost.suppression_words(s.reason))
  from gatepost.emails e
  join gatepost.email_suppressions s on s.email = lower(e.recipient)
  where e.dispatch_id = new_id;
  return new_id;
end;
$$;

CREATE TABLE gatepost.emails (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    template text NOT NULL,
    version integer,
    locale text NOT NULL,
    recipient text NOT NULL,
    reply_to text,
    variables jsonb NOT NULL,
    notice jsonb,
    security boolean NOT NULL,
    alone boolean NOT NULL,
    queued_by text NOT NULL,
    idempotency_key text,
    request_hash bytea,
    resend_of uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    send_at timestamp with time zone,
    expires_at timestamp with time zone,
    status text DEFAULT 'queued'::text NOT NULL,
    due_at timestamp with time zone DEFAULT now() NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    last_error text,
    subject text,
    payload text,
    dispatch_id uuid,
    place smallint,
    provider text,
    provider_id text,
    CONSTRAINT emails_idempotency_key_check CHECK (((char_length(idempotency_key) >= 1) AND (char_length(idempotency_key) <= 300))),
    CONSTRAINT emails_notice_check CHECK ((jsonb_typeof(notice) = 'object'::text)),
    CONSTRAINT emails_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'sending'::text, 'sent'::text, 'delayed'::text, 'delivered'::text, 'bounced'::text, 'complained'::text, 'suppressed'::text, 'failed'::text, 'canceled'::text, 'expired'::text, 'unknown'::text]))),
    CONSTRAINT emails_variables_check CHECK ((jsonb_typeof(variables) = 'object'::text))
);

CREATE FUNCTION gatepost.freeze_dispatch(p_id uuid, p_worker uuid, p_sender text, p_remembers interval, p_email_ids uuid[], p_subjects text[], p_payloads text[]) RETURNS SETOF gatepost.emails
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  nth integer;
begin
  -- A try that is forgotten in a crash would be made again under another key.
  perform set_config('synchronous_commit', 'on', true);
  update gatepost.email_dispatches d
  set sender = coalesce(d.sender, p_sender), tries = d.tries + 1,
      forgotten_at = coalesce(d.forgotten_at, clock_timestamp() + p_remembers)
  where d.id = p_id and d.worker = p_worker
  returning d.tries into nth;
  if not found then
    return;
  end if;

  update gatepost.emails e set subject = frozen.subject, payload = frozen.payload
  from unnest(p_email_ids, p_subjects, p_payloads) frozen (id, subject, payload)
  where e.id = frozen.id and e.payload is null;
  if nth = 1 then
    perform gatepost.expire_emails(p_id);
  end if;
  return query
    update gatepost.emails e set attempts = e.attempts + 1 where e.dispatch_id = p_id returning e.*;
  if not found then
    delete from gatepost.email_dispatches d where d.id = p_id;
  end if;
end;
$$;

CREATE FUNCTION gatepost.give_up_dispatch(p_id uuid, p_code text, p_words text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform gatepost.end_emails(array[e.id], 'unknown', p_code, p_words)
  from gatepost.emails e where e.dispatch_id = p_id and e.status = 'sending';
  delete from gatepost.email_dispatches d where d.id = p_id;
end;
$$;

CREATE FUNCTION gatepost.lease_dispatch(p_worker uuid, p_lease interval, p_transports text[], p_most integer[], OUT dispatch_id uuid, OUT transport text, OUT pause double precision) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  due_again uuid;
  way record;
begin
  perform gatepost.expire_emails();
  select d.id, d.transport into due_again, transport
  from gatepost.email_dispatches d
  join gatepost.email_transports t on t.name = d.transport
  where d.due_at <= clock_timestamp() and (
    d.tries = 0 or d.forgotten_at <= clock_timestamp()
    or d.transport = any (p_transports) and t.paused_until <= clock_timestamp()
  )
  order by d.due_at
  limit 1
  for update of d skip locked;
  if due_again is not null then
    pause := 0;
    if gatepost.resume_dispatch(due_again, p_worker, p_lease) then
      dispatch_id := due_again;
      pause := gatepost.take_slot(transport, due_again);
    end if;
    return;
  end if;

  select t.name, p_most[listed.place] as most, t.next_slot into way
  from unnest(p_transports) with ordinality listed (name, place)
  join gatepost.email_transports t using (name)
  where t.paused_until <= clock_timestamp()
  order by listed.place
  limit 1;
  if way.name is null then
    select extract(epoch from min(t.paused_until) - clock_timestamp()) into pause
    from gatepost.email_transports t where t.name = any (p_transports);
  elsif way.next_slot > clock_timestamp() + interval '1 second' then
    -- Enough is on its way; what comes meanwhile may be more urgent.
    pause := extract(epoch from way.next_slot - clock_timestamp()) - 0.5;
  else
    transport := way.name;
    dispatch_id := gatepost.form_dispatch(p_worker, p_lease, way.name, way.most);
    pause := case when dispatch_id is not null then gatepost.take_slot(way.name, dispatch_id) end;
  end if;
end;
$$;

CREATE TABLE gatepost.sessions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    name text,
    device_kind text NOT NULL,
    browser text,
    os text,
    ip inet,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    authenticated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    last_active_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    last_active_on date DEFAULT ((clock_timestamp() AT TIME ZONE 'UTC'::text))::date NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_by uuid,
    end_reason text,
    CONSTRAINT sessions_check CHECK (((ended_at IS NULL) = (end_reason IS NULL))),
    CONSTRAINT sessions_device_kind_check CHECK ((device_kind = ANY (ARRAY['desktop'::text, 'mobile'::text, 'tablet'::text, 'bot'::text, 'unknown'::text]))),
    CONSTRAINT sessions_end_reason_check CHECK ((end_reason = ANY (ARRAY['signed_out'::text, 'signed_out_elsewhere'::text, 'signed_out_by_admin'::text, 'evicted'::text, 'password_changed'::text, 'refresh_token_reused'::text, 'not_me'::text, 'idle'::text, 'expired'::text]))),
    CONSTRAINT sessions_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 100)))
)
WITH (fillfactor='80');

CREATE TABLE gatepost.webhook_deliveries (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    session_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    worker uuid,
    due_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    tries integer DEFAULT 0 NOT NULL
);

CREATE FUNCTION gatepost.lease_webhook(p_worker uuid, p_lease interval) RETURNS TABLE(delivery gatepost.webhook_deliveries, session gatepost.sessions)
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  -- in a variable an index can use it
  now_is timestamptz := clock_timestamp();
begin
  return query
    update gatepost.webhook_deliveries d
    set worker = p_worker, due_at = now_is + p_lease, tries = d.tries + 1
    from gatepost.sessions s
    where s.id = d.session_id and d.id = (
      select w.id from gatepost.webhook_deliveries w
      where w.due_at <= now_is
      order by w.due_at
      limit 1
      for update skip locked
    )
    returning d, s;
end;
$$;

CREATE FUNCTION gatepost.lock_sessions(p_user_id uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select pg_advisory_xact_lock(hashtextextended('gatepost.sessions:' || p_user_id, 0));
$$;

CREATE FUNCTION gatepost.match_email_events(p_provider_ids text[] DEFAULT NULL::text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform gatepost.apply_email_event(v.id, e.id)
  from gatepost.email_events v
  join gatepost.emails e using (provider_id)
  where v.email_id is null and (p_provider_ids is null or v.provider_id = any (p_provider_ids))
  -- whoever else does the same takes them in the same order
  order by v.id;
end;
$$;

CREATE FUNCTION gatepost.network_of(p_ip inet) RETURNS inet
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select network(set_masklen(p_ip, case family(p_ip) when 4 then 24 else 48 end))::inet;
$$;

CREATE FUNCTION gatepost.note_audit(p_actor text, p_action text, p_target text, p_reason text DEFAULT NULL::text, p_ip inet DEFAULT NULL::inet, p_detail jsonb DEFAULT '{}'::jsonb) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  insert into gatepost.audit_log (actor, action, target, reason, ip, detail)
  values (p_actor, p_action, p_target, p_reason, p_ip, p_detail);
$$;

CREATE FUNCTION gatepost.note_email_event(p_email_ids uuid[], p_type text, p_detail jsonb DEFAULT '{}'::jsonb) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  insert into gatepost.email_events (email_id, type, detail)
  select each, p_type, p_detail from unnest(p_email_ids) each;
$$;

CREATE FUNCTION gatepost.note_provider_event(p_event_id text, p_provider_id text, p_email_id uuid, p_at timestamp with time zone, p_type text, p_detail jsonb) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION gatepost.note_session_ended() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  insert into gatepost.audit_log (actor, action, target, reason, ip, detail) values (
    coalesce(nullif(current_setting('gatepost.actor', true), ''), 'person:' || new.ended_by, 'system'),
    'session.ended', 'session:' || new.id,
    nullif(current_setting('gatepost.reason', true), ''),
    nullif(current_setting('gatepost.ip', true), '')::inet,
    jsonb_build_object('person', new.user_id, 'end_reason', new.end_reason)
  );
  return null;
end;
$$;

CREATE FUNCTION gatepost.note_session_opened() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  insert into gatepost.audit_log (actor, action, target, ip, detail) values (
    'person:' || new.user_id, 'session.opened', 'session:' || new.id, new.ip,
    jsonb_build_object('person', new.user_id, 'kind', new.device_kind)
  );
  return null;
end;
$$;

CREATE TABLE gatepost.email_dispatches (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    transport text NOT NULL,
    worker uuid,
    due_at timestamp with time zone NOT NULL,
    sender text,
    forgotten_at timestamp with time zone,
    tries integer DEFAULT 0 NOT NULL,
    uncertain boolean DEFAULT false NOT NULL,
    CONSTRAINT email_dispatches_check CHECK (((tries = 0) = (forgotten_at IS NULL)))
);

CREATE FUNCTION gatepost.note_trouble(p_dispatch gatepost.email_dispatches, p_fault text, p_code text, p_words text, p_delay interval, p_pace double precision) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION gatepost.open_session(p_session_id uuid, p_user_id uuid, p_token_hash bytea, p_name text, p_device_kind text, p_browser text, p_os text, p_ip inet, p_lifetime interval, p_idle_timeout interval, p_max_sessions integer, p_replaced_id uuid DEFAULT NULL::uuid, p_known_device boolean DEFAULT false) RETURNS SETOF gatepost.sessions
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  opened gatepost.sessions;
begin
  perform gatepost.lock_sessions(p_user_id);
  perform gatepost.end_lapsed_sessions(p_user_id, p_idle_timeout);

  update gatepost.sessions s
  set ended_at = clock_timestamp(), end_reason = 'signed_out', ended_by = s.user_id
  where s.id = p_replaced_id and s.ended_at is null;

  insert into gatepost.sessions (id, user_id, name, device_kind, browser, os, ip, expires_at)
  values (p_session_id, p_user_id, p_name, p_device_kind, p_browser, p_os, p_ip, clock_timestamp() + p_lifetime)
  returning * into opened;
  return next opened;
  perform gatepost.tell_of_sign_in(opened, p_known_device);

  insert into gatepost.refresh_tokens (session_id, token_hash) values (p_session_id, p_token_hash);

  return query
    update gatepost.sessions s
    set ended_at = clock_timestamp(), end_reason = 'evicted'
    where s.ended_at is null
      and s.id in (
        select a.id
        from gatepost.sessions a
        where a.user_id = p_user_id and a.ended_at is null and a.id <> p_session_id
        order by a.last_active_at desc, a.created_at desc, a.id
        offset p_max_sessions - 1
      )
    returning s.*;
end;
$$;

CREATE FUNCTION gatepost.publish_template(p_key text, p_locale text, p_tag uuid, p_prepared jsonb, p_actor text, p_ip inet) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  words jsonb;
  number integer;
begin
  select l.draft into words from gatepost.email_template_locales l
  where l.key = p_key and l.locale = p_locale and l.draft_tag = p_tag
  for update;
  if not found then
    raise exception 'the draft was changed meanwhile' using errcode = 'GP409';
  end if;

  insert into gatepost.email_template_versions (key, locale, version, source, prepared, published_by)
  select p_key, p_locale, coalesce(max(v.version), 0) + 1, words, p_prepared, p_actor
  from gatepost.email_template_versions v
  where v.key = p_key and v.locale = p_locale
  returning version into number;

  update gatepost.email_template_locales l
  set draft = null, diagnostics = '[]', draft_tag = null, published_version = number,
      updated_at = clock_timestamp(), updated_by = p_actor
  where l.key = p_key and l.locale = p_locale;

  perform gatepost.note_audit(
    p_actor, 'template.published', 'template:' || p_key, null, p_ip,
    jsonb_build_object('locale', p_locale, 'version', number)
  );
  return number;
end;
$$;

CREATE FUNCTION gatepost.put_back_dispatch(p_id uuid, p_worker uuid, p_delay interval) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  tries integer;
begin
  select d.tries into tries from gatepost.email_dispatches d where d.id = p_id and d.worker = p_worker for update;
  if tries = 0 then
    perform gatepost.release_dispatch(p_id, p_delay);
  elsif tries > 0 then
    update gatepost.email_dispatches d
    set worker = null, uncertain = true, due_at = clock_timestamp() + p_delay
    where d.id = p_id;
  end if;
end;
$$;

CREATE FUNCTION gatepost.queue_email(p_template text, p_to text, p_variables jsonb DEFAULT '{}'::jsonb, p_locale text DEFAULT 'en'::text, p_reply_to text DEFAULT NULL::text, p_attachments jsonb DEFAULT '[]'::jsonb, p_send_at timestamp with time zone DEFAULT NULL::timestamp with time zone, p_expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, p_idempotency_key text DEFAULT NULL::text, p_actor text DEFAULT 'application'::text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
  -- Whoever only may call this does not speak in anybody's name.
  actor text := case when pg_has_role(session_user, current_user, 'member') then p_actor else 'application' end;
  hash bytea := case when p_idempotency_key is not null then sha256(convert_to(jsonb_build_array(
    p_template, p_to, p_variables, p_locale, p_reply_to, p_attachments, p_send_at, p_expires_at
  )::text, 'UTF8')) end;
  words record;
  queued uuid := gatepost.find_queued_email(actor, p_idempotency_key, hash);
begin
  if queued is not null then
    return queued;
  end if;
  perform gatepost.demand_email(
    p_to, p_reply_to, p_variables, p_attachments, p_send_at, p_expires_at, p_idempotency_key
  );
  select * into words from gatepost.find_template_words(p_template, p_locale);
  if words.version is null then
    raise exception 'no template "%" with words in "%"', p_template, p_locale using errcode = 'GP404';
  end if;

  insert into gatepost.emails (
    template, version, locale, recipient, reply_to, variables, security, alone, queued_by, idempotency_key,
    request_hash, send_at, expires_at, due_at
  )
  select
    p_template, words.version, words.locale, p_to, p_reply_to, p_variables,
    exists (select from gatepost.builtin_templates b where b.key = p_template and b.security),
    p_attachments <> '[]', actor, p_idempotency_key, hash, p_send_at, p_expires_at, coalesce(p_send_at, now())
  on conflict (queued_by, idempotency_key) where idempotency_key is not null do nothing
  returning id into queued;
  if queued is null then
    -- Somebody was quicker with the same key.
    return gatepost.find_queued_email(actor, p_idempotency_key, hash);
  end if;
  if p_attachments <> '[]' then
    perform gatepost.attach_files(queued, p_attachments);
  end if;
  return queued;
end;
$$;

CREATE FUNCTION gatepost.queue_notice(p_template text, p_user_id uuid, p_about jsonb DEFAULT '{}'::jsonb, p_purpose text DEFAULT NULL::text, p_lifetime interval DEFAULT NULL::interval) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  person gatepost.users;
  words record;
  link_id uuid;
  queued uuid;
begin
  select * into person from gatepost.users u where u.id = p_user_id;
  select * into words from gatepost.find_template_words(
    p_template, coalesce(person.user_metadata ->> 'locale', person.locale, 'en')
  );
  if person.id is null or words.version is null then
    return null;
  end if;

  if p_purpose is not null then
    insert into gatepost.links (purpose, user_id, session_id, email, expires_at)
    values (p_purpose, p_user_id, (p_about ->> 'session')::uuid, person.email, clock_timestamp() + p_lifetime)
    returning id into link_id;
  end if;
  insert into gatepost.emails (
    template, version, locale, recipient, variables, notice, security, alone, queued_by, expires_at
  )
  select
    p_template, words.version, words.locale, person.email, '{}',
    jsonb_strip_nulls(p_about || jsonb_build_object('person', p_user_id, 'link', link_id, 'purpose', p_purpose)),
    exists (select from gatepost.builtin_templates b where b.key = p_template and b.security), false, 'gatepost',
    clock_timestamp() + p_lifetime
  returning id into queued;
  return queued;
end;
$$;

CREATE FUNCTION gatepost.refresh_session(p_session_id uuid, p_token_hash bytea, p_successor_hash bytea, p_successor_sealed bytea, p_ip inet, p_grace interval, p_idle_timeout interval, OUT outcome text, OUT successor_sealed bytea, OUT session gatepost.sessions) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  token gatepost.refresh_tokens;
begin
  -- Everything that ends a session locks its row too, so a refresh sees the end or comes before it.
  select * into session from gatepost.sessions s where s.id = p_session_id for update;
  if not found then
    outcome := 'unknown';
    return;
  end if;

  if gatepost.session_end_reason(session, p_idle_timeout) is not null then
    perform gatepost.end_lapsed_session(p_session_id, p_idle_timeout);
    select * into session from gatepost.sessions s where s.id = p_session_id;
    outcome := 'ended';
    return;
  end if;

  select * into token from gatepost.refresh_tokens t where t.session_id = p_session_id;

  if token.token_hash = p_token_hash then
    outcome := 'rotated';
    update gatepost.refresh_tokens t
    set token_hash = p_successor_hash,
        previous_hash = p_token_hash,
        successor_sealed = p_successor_sealed,
        rotated_at = clock_timestamp()
    where t.session_id = p_session_id;
  elsif token.previous_hash = p_token_hash and token.rotated_at > clock_timestamp() - p_grace then
    outcome := 'replayed';
    successor_sealed := token.successor_sealed;
  else
    outcome := 'reused';
    update gatepost.sessions s
    set ended_at = clock_timestamp(), end_reason = 'refresh_token_reused'
    where s.id = p_session_id
    returning * into session;
    perform gatepost.queue_notice(
      'suspicious-refresh', session.user_id, jsonb_build_object('session', p_session_id)
    );
    return;
  end if;

  update gatepost.sessions s
  set last_active_at = clock_timestamp(),
      last_active_on = (clock_timestamp() at time zone 'UTC')::date,
      ip = coalesce(p_ip, s.ip)
  where s.id = p_session_id
  returning * into session;
end;
$$;

CREATE FUNCTION gatepost.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  dropped bigint;
begin
  if tg_op = 'DELETE' and tg_table_name <> 'audit_drops' then
    select max(d.position) into dropped from gatepost.audit_drops d;
    if tg_table_name = 'audit_log' then
      perform from gatepost.audit_seals s where s.audit_id = old.id and s.position <= dropped;
    else
      perform where old.position <= dropped;
    end if;
    if found then
      return old;
    end if;
  end if;
  raise exception 'the audit log is append-only' using errcode = 'GP403';
end;
$$;

CREATE FUNCTION gatepost.refuse_dispatch(p_id uuid, p_worker uuid, p_fault text, p_code text, p_words text, p_delay interval, p_pace double precision) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION gatepost.refuse_version_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  raise exception 'a published version never changes' using errcode = 'GP403';
end;
$$;

CREATE FUNCTION gatepost.release_dispatch(p_id uuid, p_delay interval) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION gatepost.request_email_verification(p_user_id uuid, OUT outcome text, OUT wait double precision) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  person gatepost.users;
  fifth timestamptz;
begin
  -- One after another, so that many at once get no further.
  select * into person from gatepost.users u where u.id = p_user_id for no key update;
  select l.created_at into fifth from gatepost.links l
  where l.user_id = p_user_id and l.purpose = 'verify_email' and l.created_at > clock_timestamp() - interval '1 hour'
  order by l.created_at desc
  offset 4 limit 1;
  outcome := case
    when person.email_verified_at is not null then 'confirmed'
    when fifth is not null then 'limited'
    else 'queued'
  end;
  if outcome = 'limited' then
    wait := extract(epoch from fifth + interval '1 hour' - clock_timestamp());
  elsif outcome = 'queued' then
    perform gatepost.queue_notice('verify-email', p_user_id, '{}', 'verify_email', interval '24 hours');
  end if;
end;
$$;

CREATE FUNCTION gatepost.request_password_reset(p_email text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  person uuid;
begin
  select u.id into person from gatepost.users u where lower(u.email) = lower(p_email) and u.disabled_at is null;
  if person is not null and (
    select count(*) from gatepost.links l
    where l.user_id = person and l.purpose = 'reset_password' and l.created_at > clock_timestamp() - interval '1 hour'
  ) < 5 then
    perform gatepost.queue_notice('reset-password', person, '{}', 'reset_password', interval '1 hour');
  end if;
end;
$$;

CREATE FUNCTION gatepost.resend_email(p_id uuid, p_actor text, p_ip inet) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  there gatepost.emails;
  new_id uuid;
begin
  select * into there from gatepost.emails e where e.id = p_id for update;
  if not found then
    raise exception 'no such message' using errcode = 'GP404';
  elsif there.status in ('queued', 'sending') or there.expires_at <= now() or there.version is null
    or there.security and there.notice is null
  then
    raise exception 'the message is on its way, its time is over, it was a test, or its secrets are erased' using errcode = 'GP409';
  end if;

  insert into gatepost.emails (
    template, version, locale, recipient, reply_to, variables, notice, security, alone, queued_by, expires_at, resend_of
  )
  select
    e.template, e.version, e.locale, e.recipient, e.reply_to, e.variables, e.notice, e.security, e.alone, p_actor, e.expires_at,
    e.id
  from gatepost.emails e
  where e.id = p_id
  returning id into new_id;
  insert into gatepost.email_attachments (email_id, place, filename, content_type, content)
  select new_id, a.place, a.filename, a.content_type, a.content
  from gatepost.email_attachments a where a.email_id = p_id;

  perform gatepost.note_audit(p_actor, 'email.resent', 'email:' || p_id, null, p_ip, jsonb_build_object('as', new_id));
  return new_id;
end;
$$;

CREATE FUNCTION gatepost.resume_dispatch(p_id uuid, p_worker uuid, p_lease interval) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  there gatepost.email_dispatches;
begin
  select * into there from gatepost.email_dispatches d where d.id = p_id;
  if there.tries = 0 then
    perform gatepost.release_dispatch(p_id, '0');
    return false;
  end if;
  if there.forgotten_at <= clock_timestamp() or exists (
    select from gatepost.emails e where e.dispatch_id = p_id and e.expires_at <= clock_timestamp()
  ) then
    perform gatepost.give_up_dispatch(p_id, 'unanswered', 'It may have been sent, but the answer was lost, and by now it '
      'might go out twice or too late. Look at the provider''s log, or send it again.');
    return false;
  end if;
  -- Whoever had it in hand has died, or is too slow: the try may have been accepted.
  update gatepost.email_dispatches d
  set worker = p_worker, due_at = clock_timestamp() + p_lease, uncertain = d.uncertain or d.worker is not null
  where d.id = p_id;
  return true;
end;
$$;

CREATE FUNCTION gatepost.revoke_any_session(p_session_id uuid, p_actor text, p_reason text, p_ip inet, p_notify boolean DEFAULT false) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  owner uuid;
begin
  perform gatepost.act_as(p_actor, p_reason, p_ip);
  perform from gatepost.sessions s where s.id = p_session_id for update;
  if not found then
    raise exception 'no such session' using errcode = 'GP404';
  end if;

  update gatepost.sessions s
  set ended_at = clock_timestamp(), end_reason = 'signed_out_by_admin'
  where s.id = p_session_id and s.ended_at is null
  returning s.user_id into owner;
  if p_notify then
    perform gatepost.queue_notice('session-revoked', owner, jsonb_build_object('sessions', array[p_session_id]));
  end if;
  return owner is not null;
end;
$$;

CREATE FUNCTION gatepost.revoke_listed_sessions(p_session_ids uuid[], p_actor text, p_reason text, p_ip inet, p_notify boolean DEFAULT false) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  person record;
  revoked integer := 0;
begin
  perform gatepost.act_as(p_actor, p_reason, p_ip);
  -- Waiting for the disk at each step would have everybody else's commits wait behind it; the caller's last one waits.
  perform set_config('synchronous_commit', 'off', true);

  -- Rows that somebody else holds at this moment are being ended or refreshed; the caller comes back for them.
  for person in
    with held as (
      select s.id from gatepost.sessions s
      where s.id = any (p_session_ids) and s.ended_at is null
      order by s.id
      for update skip locked
    ), busy as (
      select s.user_id from gatepost.sessions s
      where s.id = any (p_session_ids) and s.ended_at is null and s.id not in (select held.id from held)
    ), ended as (
      update gatepost.sessions s
      set ended_at = clock_timestamp(), end_reason = 'signed_out_by_admin'
      from held
      where s.id = held.id and not (p_notify and s.user_id in (select busy.user_id from busy))
      returning s.id, s.user_id
    )
    select ended.user_id as id, array_agg(ended.id) as ended from ended group by ended.user_id
  loop
    revoked := revoked + cardinality(person.ended);
    if p_notify then
      perform gatepost.queue_notice('session-revoked', person.id, jsonb_build_object('sessions', person.ended));
    end if;
  end loop;
  return revoked;
end;
$$;

CREATE FUNCTION gatepost.revoke_other_sessions(p_user_id uuid, p_kept_id uuid, p_ended_by uuid, p_reason text, p_idle_timeout interval) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  revoked integer;
begin
  perform gatepost.lock_sessions(p_user_id);
  perform gatepost.end_lapsed_sessions(p_user_id, p_idle_timeout);

  update gatepost.sessions s
  set ended_at = clock_timestamp(), end_reason = p_reason, ended_by = p_ended_by
  where s.user_id = p_user_id and s.ended_at is null and s.id is distinct from p_kept_id;

  get diagnostics revoked = row_count;
  return revoked;
end;
$$;

CREATE FUNCTION gatepost.revoke_session(p_user_id uuid, p_session_id uuid, p_ended_by uuid, p_reason text, p_idle_timeout interval) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform from gatepost.sessions s where s.id = p_session_id and s.user_id = p_user_id for update;
  if not found then
    raise exception 'no such session' using errcode = 'GP404';
  end if;
  perform gatepost.end_lapsed_session(p_session_id, p_idle_timeout);

  update gatepost.sessions s
  set ended_at = clock_timestamp(), end_reason = p_reason, ended_by = p_ended_by
  where s.id = p_session_id and s.ended_at is null;
end;
$$;

CREATE FUNCTION gatepost.revoke_user_sessions(p_user_id uuid, p_actor text, p_reason text, p_ip inet, p_idle_timeout interval, p_notify boolean DEFAULT false) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  revoked uuid[];
begin
  perform gatepost.lock_sessions(p_user_id);
  perform gatepost.end_lapsed_sessions(p_user_id, p_idle_timeout);
  perform gatepost.act_as(p_actor, p_reason, p_ip);

  with ended as (
    update gatepost.sessions s
    set ended_at = clock_timestamp(), end_reason = 'signed_out_by_admin'
    where s.user_id = p_user_id and s.ended_at is null
    returning s.id
  )
  select array_agg(ended.id) into revoked from ended;
  if p_notify and revoked is not null then
    perform gatepost.queue_notice('session-revoked', p_user_id, jsonb_build_object('sessions', revoked));
  end if;
  return coalesce(cardinality(revoked), 0);
end;
$$;

CREATE FUNCTION gatepost.save_template_draft(p_key text, p_locale text, p_tag text, p_draft jsonb, p_diagnostics jsonb, p_action text, p_actor text, p_ip inet) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  draft_tag uuid;
  published integer;
begin
  perform from gatepost.email_templates t where t.key = p_key and t.deleted_at is null for update;
  if not found then
    raise exception 'no such template' using errcode = 'GP404';
  end if;
  select l.draft_tag, l.published_version into draft_tag, published
  from gatepost.email_template_locales l where l.key = p_key and l.locale = p_locale;
  if draft_tag is not null and p_tag is null
    or p_tag <> coalesce(draft_tag::text, 'v' || coalesce(published, 0)) then
    raise exception 'the draft was changed meanwhile' using errcode = 'GP409';
  end if;

  insert into gatepost.email_template_locales as l (key, locale, draft, diagnostics, draft_tag, updated_by)
  values (p_key, p_locale, p_draft, p_diagnostics, gen_random_uuid(), p_actor)
  on conflict (key, locale) do update
  set draft = excluded.draft, diagnostics = excluded.diagnostics, draft_tag = excluded.draft_tag,
      updated_at = clock_timestamp(), updated_by = excluded.updated_by;

  perform gatepost.note_audit(p_actor, p_action, 'template:' || p_key, null, p_ip, jsonb_build_object('locale', p_locale));
end;
$$;

CREATE FUNCTION gatepost.session_end_reason(session gatepost.sessions, idle_timeout interval) RETURNS text
    LANGUAGE sql STABLE
    RETURN CASE WHEN ((session).end_reason IS NOT NULL) THEN (session).end_reason WHEN ((session).expires_at <= now()) THEN 'expired'::text WHEN (((session).last_active_at + idle_timeout) <= now()) THEN 'idle'::text ELSE NULL::text END;

CREATE FUNCTION gatepost.slot_length(p_pace double precision) RETURNS interval
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select coalesce(interval '1.05 seconds' / p_pace, '0');
$$;

CREATE FUNCTION gatepost.stamp_audit() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  if new.id <> currval('gatepost.audit_log_id_seq') then
    raise exception 'the audit log is append-only' using errcode = 'GP403';
  end if;
  new.at := clock_timestamp();
  new.written_by := pg_current_xact_id();
  return new;
end;
$$;

CREATE FUNCTION gatepost.suppress_new_email() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  why text;
begin
  select s.reason into why from gatepost.email_suppressions s where s.email = lower(new.recipient);
  if found then
    new.status := 'suppressed';
    new.last_error := gatepost.suppression_words(why);
  elsif not new.security and exists (
    select from gatepost.unwanted_mail w
    join gatepost.users u on u.id = w.user_id
    where lower(u.email) = lower(new.recipient) and w.template = new.template
  ) then
    new.status := 'suppressed';
    new.last_error := 'This person has turned such mail off.';
  end if;
  return new;
end;
$$;

CREATE FUNCTION gatepost.suppression_words(p_reason text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select 'Nothing is sent to this address: ' || case p_reason
    when 'bounce' then 'mail to it bounced.'
    when 'complaint' then 'its owner marked mail of ours as spam.'
    else 'staff put it on the list.'
  end || ' Remove it from the suppressions if that is over.';
$$;

CREATE FUNCTION gatepost.take_slot(p_transport text, p_dispatch_id uuid) RETURNS double precision
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  update gatepost.email_transports t
  set next_slot = greatest(t.next_slot, clock_timestamp()) + gatepost.slot_length(t.pace),
      -- In trouble, one request tells whether it is over.
      paused_until = case when t.trouble_code is null then t.paused_until else clock_timestamp() + interval '30 seconds' end,
      probe = case when t.trouble_code is not null then p_dispatch_id end
  where t.name = p_transport
  returning greatest(0, extract(epoch from
    t.next_slot - gatepost.slot_length(t.pace) - clock_timestamp()
  ));
$$;

CREATE FUNCTION gatepost.tell_of_end() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  insert into gatepost.webhook_deliveries (session_id)
  select new.id where exists (select from gatepost.webhooks);
  perform pg_notify('gatepost_session_ends', new.id::text);
  return null;
end;
$$;

CREATE FUNCTION gatepost.tell_of_sign_in(p_session gatepost.sessions, p_known boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  network inet := gatepost.network_of((p_session).ip);
begin
  if p_known or not exists (
    select from gatepost.sessions s where s.user_id = (p_session).user_id and s.id <> (p_session).id
  ) then
    return;
  end if;
  if exists (
    select from gatepost.sessions s
    left join gatepost.emails e on e.notice ->> 'session' = s.id::text and e.template = 'new-device'
    where s.user_id = (p_session).user_id and s.id <> (p_session).id
      and s.browser is not distinct from (p_session).browser and s.os is not distinct from (p_session).os
      and gatepost.network_of(s.ip) is not distinct from network
      and s.created_at > clock_timestamp() - interval '30 days'
      and coalesce(e.status, '') not in ('failed', 'expired', 'canceled', 'bounced')
      and (s.end_reason is distinct from 'not_me' or e.created_at > clock_timestamp() - interval '15 minutes')
  ) then
    return;
  end if;
  perform gatepost.queue_notice(
    'new-device', (p_session).user_id, jsonb_build_object('session', (p_session).id), 'not_me', interval '3 days'
  );
end;
$$;

CREATE FUNCTION gatepost.tell_of_suppression() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if tg_op = 'INSERT' then
    perform gatepost.note_email_event(array[new.id], 'suppressed', jsonb_build_object('words', new.last_error));
  end if;
  if new.security then
    perform gatepost.note_audit(
      'mail', 'email.suppressed', 'email:' || new.id, null, null, jsonb_build_object('template', new.template)
    );
  end if;
  return null;
end;
$$;

CREATE FUNCTION gatepost.told_severity(p_email gatepost.emails) RETURNS integer
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select case when p_email.provider_id is null then 0 else gatepost.email_severity(p_email.status) end;
$$;

CREATE FUNCTION gatepost.touch_session(p_session_id uuid, p_ip inet, p_interval interval) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  update gatepost.sessions s
  set last_active_at = now(),
      last_active_on = (now() at time zone 'UTC')::date,
      ip = coalesce(p_ip, s.ip)
  where s.id = p_session_id
    and s.ended_at is null
    and s.last_active_at <= now() - p_interval;
$$;

CREATE FUNCTION gatepost.use_link(p_id uuid, p_purpose text, OUT outcome text, OUT user_id uuid, OUT session_id uuid, OUT email text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  link gatepost.links;
begin
  select * into link from gatepost.links l where l.id = p_id and l.purpose = p_purpose for update;
  outcome := case
    when link.id is null then 'unknown'
    when link.used_at is not null then 'used'
    when link.expires_at <= clock_timestamp() then 'expired'
    else 'ok'
  end;
  if outcome = 'ok' then
    update gatepost.links l set used_at = clock_timestamp() where l.id = p_id;
    user_id := link.user_id;
    session_id := link.session_id;
    email := link.email;
  end if;
end;
$$;

CREATE FUNCTION gatepost.wake_mail_workers() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if pg_try_advisory_xact_lock(hashtext('gatepost.wake_mail_workers')) then
    notify gatepost_emails;
  end if;
  return null;
end;
$$;

CREATE TABLE gatepost.api_keys (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    created_by text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT api_keys_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 100))),
    CONSTRAINT api_keys_secret_hash_check CHECK ((octet_length(secret_hash) = 32))
);

CREATE TABLE gatepost.audit_drops (
    "position" bigint NOT NULL,
    hash bytea NOT NULL,
    dropped_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT audit_drops_hash_check CHECK ((octet_length(hash) = 32)),
    CONSTRAINT audit_drops_position_check CHECK (("position" > 0))
);

CREATE TABLE gatepost.audit_log (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    target text,
    reason text,
    ip inet,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    written_by xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT audit_log_detail_check CHECK ((jsonb_typeof(detail) = 'object'::text))
);

ALTER TABLE gatepost.audit_log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME gatepost.audit_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE gatepost.audit_seals (
    "position" bigint NOT NULL,
    audit_id bigint NOT NULL,
    hash bytea NOT NULL,
    horizon xid8 NOT NULL,
    cluster bigint NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    CONSTRAINT audit_seals_hash_check CHECK ((octet_length(hash) = 32)),
    CONSTRAINT audit_seals_position_check CHECK (("position" > 0))
);

CREATE TABLE gatepost.builtin_templates (
    key text NOT NULL,
    locale text NOT NULL,
    security boolean NOT NULL
);

CREATE TABLE gatepost.email_attachments (
    email_id uuid NOT NULL,
    place smallint NOT NULL,
    filename text NOT NULL,
    content_type text NOT NULL,
    content bytea NOT NULL
);

CREATE TABLE gatepost.email_events (
    id bigint NOT NULL,
    email_id uuid,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    type text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    provider_event_id text,
    provider_id text,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE gatepost.email_events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME gatepost.email_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE gatepost.email_suppressions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    reason text NOT NULL,
    note text,
    email_id uuid,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    created_by text NOT NULL,
    CONSTRAINT email_suppressions_email_check CHECK ((email = lower(email))),
    CONSTRAINT email_suppressions_reason_check CHECK ((reason = ANY (ARRAY['bounce'::text, 'complaint'::text, 'manual'::text])))
);

CREATE TABLE gatepost.email_template_locales (
    key text NOT NULL,
    locale text NOT NULL,
    draft jsonb,
    diagnostics jsonb DEFAULT '[]'::jsonb NOT NULL,
    draft_tag uuid,
    published_version integer,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by text NOT NULL,
    CONSTRAINT email_template_locales_check CHECK (((draft IS NULL) = (draft_tag IS NULL))),
    CONSTRAINT email_template_locales_draft_check CHECK ((jsonb_typeof(draft) = 'object'::text)),
    CONSTRAINT email_template_locales_locale_check CHECK (((char_length(locale) >= 2) AND (char_length(locale) <= 20)))
);

CREATE TABLE gatepost.email_template_versions (
    key text NOT NULL,
    locale text NOT NULL,
    version integer NOT NULL,
    source jsonb NOT NULL,
    prepared jsonb NOT NULL,
    published_at timestamp with time zone DEFAULT now() NOT NULL,
    published_by text NOT NULL,
    CONSTRAINT email_template_versions_version_check CHECK ((version > 0))
);

CREATE TABLE gatepost.email_templates (
    key text NOT NULL,
    builtin boolean NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    samples jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT email_templates_key_check CHECK ((key ~ '^[a-z][a-z0-9-]{0,62}$'::text)),
    CONSTRAINT email_templates_samples_check CHECK ((jsonb_typeof(samples) = 'object'::text))
);

CREATE TABLE gatepost.email_transports (
    name text NOT NULL,
    pace double precision,
    next_slot timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    paused_until timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    trouble_code text,
    trouble_words text,
    trouble_since timestamp with time zone,
    probe uuid,
    clock_off double precision,
    CONSTRAINT email_transports_check CHECK ((((trouble_code IS NULL) = (trouble_words IS NULL)) AND ((trouble_code IS NULL) = (trouble_since IS NULL)))),
    CONSTRAINT email_transports_pace_check CHECK ((pace > (0)::double precision))
);

CREATE TABLE gatepost.links (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    purpose text NOT NULL,
    user_id uuid NOT NULL,
    session_id uuid,
    email text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT links_purpose_check CHECK ((purpose = ANY (ARRAY['not_me'::text, 'reset_password'::text, 'verify_email'::text])))
);

CREATE TABLE gatepost.refresh_tokens (
    session_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    previous_hash bytea,
    successor_sealed bytea,
    rotated_at timestamp with time zone,
    CONSTRAINT refresh_tokens_previous_hash_check CHECK ((octet_length(previous_hash) = 32)),
    CONSTRAINT refresh_tokens_token_hash_check CHECK ((octet_length(token_hash) = 32))
)
WITH (fillfactor='80');

CREATE TABLE gatepost.schema_migrations (
    version text NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE gatepost.signing_keys (
    kid text NOT NULL,
    public_jwk jsonb NOT NULL,
    private_sealed bytea NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    retired_at timestamp with time zone
);

CREATE TABLE gatepost.unwanted_mail (
    user_id uuid NOT NULL,
    template text NOT NULL
);

CREATE TABLE gatepost.users (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    password_hash text NOT NULL,
    role text DEFAULT 'user'::text NOT NULL,
    user_metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    name text GENERATED ALWAYS AS ((user_metadata ->> 'name'::text)) STORED,
    disabled_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    password_changed_at timestamp with time zone DEFAULT now() NOT NULL,
    email_verified_at timestamp with time zone,
    locale text,
    CONSTRAINT users_role_check CHECK ((role = ANY (ARRAY['user'::text, 'admin'::text]))),
    CONSTRAINT users_user_metadata_check CHECK ((jsonb_typeof(user_metadata) = 'object'::text))
);

CREATE TABLE gatepost.webhooks (
    url text NOT NULL
);

ALTER TABLE ONLY gatepost.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gatepost.api_keys
    ADD CONSTRAINT api_keys_prefix_key UNIQUE (prefix);

ALTER TABLE ONLY gatepost.audit_drops
    ADD CONSTRAINT audit_drops_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY gatepost.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gatepost.audit_seals
    ADD CONSTRAINT audit_seals_audit_id_key UNIQUE (audit_id);

ALTER TABLE ONLY gatepost.audit_seals
    ADD CONSTRAINT audit_seals_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY gatepost.builtin_templates
    ADD CONSTRAINT builtin_templates_pkey PRIMARY KEY (key, locale);

ALTER TABLE ONLY gatepost.email_attachments
    ADD CONSTRAINT email_attachments_pkey PRIMARY KEY (email_id, place);

ALTER TABLE ONLY gatepost.email_dispatches
    ADD CONSTRAINT email_dispatches_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gatepost.email_events
    ADD CONSTRAINT email_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gatepost.email_events
    ADD CONSTRAINT email_events_provider_event_id_key UNIQUE (provider_event_id);

ALTER TABLE ONLY gatepost.email_suppressions
    ADD CONSTRAINT email_suppressions_email_key UNIQUE (email);

ALTER TABLE ONLY gatepost.email_suppressions
    ADD CONSTRAINT email_suppressions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gatepost.email_template_locales
    ADD CONSTRAINT email_template_locales_pkey PRIMARY KEY (key, locale);

ALTER TABLE ONLY gatepost.email_template_versions
    ADD CONSTRAINT email_template_versions_pkey PRIMARY KEY (key, locale, version);

ALTER TABLE ONLY gatepost.email_templates
    ADD CONSTRAINT email_templates_pkey PRIMARY KEY (key);

ALTER TABLE ONLY gatepost.email_transports
    ADD CONSTRAINT email_transports_pkey PRIMARY KEY (name);

ALTER TABLE ONLY gatepost.emails
    ADD CONSTRAINT emails_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gatepost.links
    ADD CONSTRAINT links_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gatepost.refresh_tokens
    ADD CONSTRAINT refresh_tokens_pkey PRIMARY KEY (session_id);

ALTER TABLE ONLY gatepost.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY gatepost.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gatepost.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (kid);

ALTER TABLE ONLY gatepost.unwanted_mail
    ADD CONSTRAINT unwanted_mail_pkey PRIMARY KEY (user_id, template);

ALTER TABLE ONLY gatepost.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gatepost.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gatepost.webhooks
    ADD CONSTRAINT webhooks_pkey PRIMARY KEY (url);

CREATE INDEX audit_log_action_idx ON gatepost.audit_log USING btree (action, id);

CREATE INDEX audit_log_actor_idx ON gatepost.audit_log USING btree (actor, id);

CREATE INDEX audit_log_target_idx ON gatepost.audit_log USING btree (target, id);

CREATE INDEX audit_log_unsealed_idx ON gatepost.audit_log USING btree (written_by);

CREATE INDEX email_dispatches_due_idx ON gatepost.email_dispatches USING btree (due_at);

CREATE INDEX email_dispatches_worker_idx ON gatepost.email_dispatches USING btree (worker) WHERE (worker IS NOT NULL);

CREATE INDEX email_events_email_idx ON gatepost.email_events USING btree (email_id, at, id);

CREATE INDEX email_events_unmatched_idx ON gatepost.email_events USING btree (provider_id) WHERE (email_id IS NULL);

CREATE INDEX email_suppressions_created_idx ON gatepost.email_suppressions USING btree (created_at, id);

CREATE INDEX emails_created_idx ON gatepost.emails USING btree (created_at, id);

CREATE INDEX emails_dispatch_idx ON gatepost.emails USING btree (dispatch_id) WHERE (dispatch_id IS NOT NULL);

CREATE INDEX emails_due_idx ON gatepost.emails USING btree (security DESC, due_at, id) WHERE (status = 'queued'::text);

CREATE INDEX emails_expiring_idx ON gatepost.emails USING btree (expires_at) WHERE ((status = 'queued'::text) AND (expires_at IS NOT NULL));

CREATE UNIQUE INDEX emails_idempotency_idx ON gatepost.emails USING btree (queued_by, idempotency_key) WHERE (idempotency_key IS NOT NULL);

CREATE INDEX emails_notice_session_idx ON gatepost.emails USING btree (((notice ->> 'session'::text))) WHERE (notice IS NOT NULL);

CREATE INDEX emails_provider_idx ON gatepost.emails USING btree (provider_id) WHERE (provider_id IS NOT NULL);

CREATE INDEX emails_recipient_idx ON gatepost.emails USING btree (lower(recipient) COLLATE "C", created_at, id);

CREATE INDEX emails_status_idx ON gatepost.emails USING btree (status, created_at, id);

CREATE INDEX emails_template_idx ON gatepost.emails USING btree (template, created_at, id);

CREATE INDEX links_user_idx ON gatepost.links USING btree (user_id, purpose, created_at);

CREATE INDEX refresh_tokens_sealed_idx ON gatepost.refresh_tokens USING btree (rotated_at) WHERE (successor_sealed IS NOT NULL);

CREATE INDEX sessions_active_idx ON gatepost.sessions USING btree (user_id) WHERE (ended_at IS NULL);

CREATE INDEX sessions_created_idx ON gatepost.sessions USING btree (created_at, id);

CREATE INDEX sessions_ended_at_idx ON gatepost.sessions USING btree (ended_at) WHERE (ended_at IS NOT NULL);

CREATE INDEX sessions_ended_idx ON gatepost.sessions USING btree (user_id, ended_at) WHERE (ended_at IS NOT NULL);

CREATE INDEX sessions_ip_idx ON gatepost.sessions USING btree (ip, created_at, id);

CREATE INDEX sessions_lapsed_idx ON gatepost.sessions USING btree (created_at, id) WHERE (end_reason = ANY (ARRAY['idle'::text, 'expired'::text]));

CREATE INDEX sessions_last_active_on_idx ON gatepost.sessions USING btree (last_active_on);

CREATE INDEX sessions_open_idx ON gatepost.sessions USING btree (created_at, id) WHERE (ended_at IS NULL);

CREATE INDEX sessions_revoked_idx ON gatepost.sessions USING btree (created_at, id) WHERE ((ended_at IS NOT NULL) AND (end_reason <> ALL (ARRAY['idle'::text, 'expired'::text])));

CREATE INDEX sessions_user_created_idx ON gatepost.sessions USING btree (user_id, created_at, id);

CREATE UNIQUE INDEX users_email_key ON gatepost.users USING btree (lower(email));

CREATE INDEX users_email_prefix_idx ON gatepost.users USING btree (lower(email) COLLATE "C", id);

CREATE INDEX users_name_prefix_idx ON gatepost.users USING btree (lower(name) COLLATE "C", id);

CREATE INDEX webhook_deliveries_due_idx ON gatepost.webhook_deliveries USING btree (due_at);

CREATE INDEX webhook_deliveries_session_idx ON gatepost.webhook_deliveries USING btree (session_id);

CREATE INDEX webhook_deliveries_worker_idx ON gatepost.webhook_deliveries USING btree (worker) WHERE (worker IS NOT NULL);

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON gatepost.audit_drops FOR EACH ROW EXECUTE FUNCTION gatepost.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON gatepost.audit_log FOR EACH ROW EXECUTE FUNCTION gatepost.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON gatepost.audit_seals FOR EACH ROW EXECUTE FUNCTION gatepost.refuse_change();

CREATE TRIGGER immutable BEFORE DELETE OR UPDATE ON gatepost.email_template_versions FOR EACH ROW EXECUTE FUNCTION gatepost.refuse_version_change();

CREATE TRIGGER never_emptied BEFORE TRUNCATE ON gatepost.audit_drops FOR EACH STATEMENT EXECUTE FUNCTION gatepost.refuse_change();

CREATE TRIGGER never_emptied BEFORE TRUNCATE ON gatepost.audit_log FOR EACH STATEMENT EXECUTE FUNCTION gatepost.refuse_change();

CREATE TRIGGER never_emptied BEFORE TRUNCATE ON gatepost.audit_seals FOR EACH STATEMENT EXECUTE FUNCTION gatepost.refuse_change();

CREATE TRIGGER never_emptied BEFORE TRUNCATE ON gatepost.email_template_versions FOR EACH STATEMENT EXECUTE FUNCTION gatepost.refuse_version_change();

CREATE TRIGGER note_ended AFTER UPDATE ON gatepost.sessions FOR EACH ROW WHEN (((old.ended_at IS NULL) AND (new.ended_at IS NOT NULL))) EXECUTE FUNCTION gatepost.note_session_ended();

CREATE TRIGGER note_opened AFTER INSERT ON gatepost.sessions FOR EACH ROW EXECUTE FUNCTION gatepost.note_session_opened();

CREATE TRIGGER stamp BEFORE INSERT ON gatepost.audit_log FOR EACH ROW EXECUTE FUNCTION gatepost.stamp_audit();

CREATE TRIGGER suppressed BEFORE INSERT ON gatepost.emails FOR EACH ROW EXECUTE FUNCTION gatepost.suppress_new_email();

CREATE TRIGGER told AFTER UPDATE OF ended_at ON gatepost.sessions FOR EACH ROW WHEN (((old.ended_at IS NULL) AND (new.ended_at IS NOT NULL))) EXECUTE FUNCTION gatepost.tell_of_end();

CREATE TRIGGER told_when_new AFTER INSERT ON gatepost.emails FOR EACH ROW WHEN ((new.status = 'suppressed'::text)) EXECUTE FUNCTION gatepost.tell_of_suppression();

CREATE TRIGGER told_when_suppressed AFTER UPDATE OF status ON gatepost.emails FOR EACH ROW WHEN (((new.status = 'suppressed'::text) AND (old.status <> 'suppressed'::text))) EXECUTE FUNCTION gatepost.tell_of_suppression();

CREATE CONSTRAINT TRIGGER wakes AFTER INSERT ON gatepost.emails DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((new.status = 'queued'::text) AND (new.send_at IS NULL))) EXECUTE FUNCTION gatepost.wake_mail_workers();

ALTER TABLE ONLY gatepost.email_attachments
    ADD CONSTRAINT email_attachments_email_id_fkey FOREIGN KEY (email_id) REFERENCES gatepost.emails(id) ON DELETE CASCADE;

ALTER TABLE ONLY gatepost.email_dispatches
    ADD CONSTRAINT email_dispatches_transport_fkey FOREIGN KEY (transport) REFERENCES gatepost.email_transports(name);

ALTER TABLE ONLY gatepost.email_events
    ADD CONSTRAINT email_events_email_id_fkey FOREIGN KEY (email_id) REFERENCES gatepost.emails(id) ON DELETE CASCADE;

ALTER TABLE ONLY gatepost.email_suppressions
    ADD CONSTRAINT email_suppressions_email_id_fkey FOREIGN KEY (email_id) REFERENCES gatepost.emails(id) ON DELETE SET NULL;

ALTER TABLE ONLY gatepost.email_template_locales
    ADD CONSTRAINT email_template_locales_key_fkey FOREIGN KEY (key) REFERENCES gatepost.email_templates(key);

ALTER TABLE ONLY gatepost.email_template_versions
    ADD CONSTRAINT email_template_versions_key_locale_fkey FOREIGN KEY (key, locale) REFERENCES gatepost.email_template_locales(key, locale);

ALTER TABLE ONLY gatepost.emails
    ADD CONSTRAINT emails_dispatch_id_fkey FOREIGN KEY (dispatch_id) REFERENCES gatepost.email_dispatches(id) ON DELETE SET NULL;

ALTER TABLE ONLY gatepost.emails
    ADD CONSTRAINT emails_resend_of_fkey FOREIGN KEY (resend_of) REFERENCES gatepost.emails(id);

ALTER TABLE ONLY gatepost.links
    ADD CONSTRAINT links_session_id_fkey FOREIGN KEY (session_id) REFERENCES gatepost.sessions(id) ON DELETE CASCADE;

ALTER TABLE ONLY gatepost.links
    ADD CONSTRAINT links_user_id_fkey FOREIGN KEY (user_id) REFERENCES gatepost.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY gatepost.refresh_tokens
    ADD CONSTRAINT refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES gatepost.sessions(id) ON DELETE CASCADE;

ALTER TABLE ONLY gatepost.unwanted_mail
    ADD CONSTRAINT unwanted_mail_user_id_fkey FOREIGN KEY (user_id) REFERENCES gatepost.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY gatepost.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_session_id_fkey FOREIGN KEY (session_id) REFERENCES gatepost.sessions(id) ON DELETE CASCADE;

ALTER TABLE gatepost.api_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.audit_drops ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.audit_log ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.audit_seals ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.builtin_templates ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.email_attachments ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.email_dispatches ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.email_events ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.email_suppressions ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.email_template_locales ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.email_template_versions ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.email_templates ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.email_transports ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.emails ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.links ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.refresh_tokens ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.schema_migrations ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.sessions ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.signing_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.unwanted_mail ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.users ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.webhook_deliveries ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.webhooks ENABLE ROW LEVEL SECURITY;

REVOKE ALL ON FUNCTION gatepost.accept_dispatch(p_id uuid, p_transport text, p_email_ids uuid[], p_provider_ids text[], p_pace double precision, p_clock_off double precision) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.act_as(p_actor text, p_reason text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.apply_email_event(p_event_id bigint, p_email_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.attach_files(p_email_id uuid, p_files jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.cancel_email(p_id uuid, p_actor text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.defer_emails(p_email_ids uuid[], p_fault text, p_code text, p_words text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.defer_webhook(p_id uuid, p_worker uuid, p_delay interval, p_patience interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.delete_template(p_key text, p_actor text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.delete_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.demand_email(p_to text, p_reply_to text, p_variables jsonb, p_attachments jsonb, p_send_at timestamp with time zone, p_expires_at timestamp with time zone, p_idempotency_key text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.disable_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.disown_session(p_user_id uuid, p_session_id uuid, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.doubt_dispatch(p_id uuid, p_worker uuid, p_code text, p_words text, p_delay interval, p_final boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.email_severity(p_status text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.enable_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.end_emails(p_email_ids uuid[], p_status text, p_code text, p_words text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.end_lapsed_session(p_session_id uuid, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.end_lapsed_sessions(p_user_id uuid, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.erase_secrets(p_email_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.expire_emails(p_dispatch_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.fail_emails(p_dispatch_id uuid, p_worker uuid, p_email_ids uuid[], p_words text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.find_queued_email(p_actor text, p_key text, p_hash bytea) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.find_template_words(p_template text, p_locale text, OUT version integer, OUT locale text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.form_dispatch(p_worker uuid, p_lease interval, p_transport text, p_most integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.freeze_dispatch(p_id uuid, p_worker uuid, p_sender text, p_remembers interval, p_email_ids uuid[], p_subjects text[], p_payloads text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.give_up_dispatch(p_id uuid, p_code text, p_words text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.lease_dispatch(p_worker uuid, p_lease interval, p_transports text[], p_most integer[], OUT dispatch_id uuid, OUT transport text, OUT pause double precision) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.lease_webhook(p_worker uuid, p_lease interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.lock_sessions(p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.match_email_events(p_provider_ids text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.network_of(p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.note_audit(p_actor text, p_action text, p_target text, p_reason text, p_ip inet, p_detail jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.note_email_event(p_email_ids uuid[], p_type text, p_detail jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.note_provider_event(p_event_id text, p_provider_id text, p_email_id uuid, p_at timestamp with time zone, p_type text, p_detail jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.note_session_ended() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.note_session_opened() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.note_trouble(p_dispatch gatepost.email_dispatches, p_fault text, p_code text, p_words text, p_delay interval, p_pace double precision) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.open_session(p_session_id uuid, p_user_id uuid, p_token_hash bytea, p_name text, p_device_kind text, p_browser text, p_os text, p_ip inet, p_lifetime interval, p_idle_timeout interval, p_max_sessions integer, p_replaced_id uuid, p_known_device boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.publish_template(p_key text, p_locale text, p_tag uuid, p_prepared jsonb, p_actor text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.put_back_dispatch(p_id uuid, p_worker uuid, p_delay interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.queue_email(p_template text, p_to text, p_variables jsonb, p_locale text, p_reply_to text, p_attachments jsonb, p_send_at timestamp with time zone, p_expires_at timestamp with time zone, p_idempotency_key text, p_actor text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.queue_notice(p_template text, p_user_id uuid, p_about jsonb, p_purpose text, p_lifetime interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.refresh_session(p_session_id uuid, p_token_hash bytea, p_successor_hash bytea, p_successor_sealed bytea, p_ip inet, p_grace interval, p_idle_timeout interval, OUT outcome text, OUT successor_sealed bytea, OUT session gatepost.sessions) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.refuse_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.refuse_dispatch(p_id uuid, p_worker uuid, p_fault text, p_code text, p_words text, p_delay interval, p_pace double precision) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.refuse_version_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.release_dispatch(p_id uuid, p_delay interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.request_email_verification(p_user_id uuid, OUT outcome text, OUT wait double precision) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.request_password_reset(p_email text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.resend_email(p_id uuid, p_actor text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.resume_dispatch(p_id uuid, p_worker uuid, p_lease interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.revoke_any_session(p_session_id uuid, p_actor text, p_reason text, p_ip inet, p_notify boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.revoke_listed_sessions(p_session_ids uuid[], p_actor text, p_reason text, p_ip inet, p_notify boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.revoke_other_sessions(p_user_id uuid, p_kept_id uuid, p_ended_by uuid, p_reason text, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.revoke_session(p_user_id uuid, p_session_id uuid, p_ended_by uuid, p_reason text, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.revoke_user_sessions(p_user_id uuid, p_actor text, p_reason text, p_ip inet, p_idle_timeout interval, p_notify boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.save_template_draft(p_key text, p_locale text, p_tag text, p_draft jsonb, p_diagnostics jsonb, p_action text, p_actor text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.session_end_reason(session gatepost.sessions, idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.slot_length(p_pace double precision) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.stamp_audit() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.suppress_new_email() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.suppression_words(p_reason text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.take_slot(p_transport text, p_dispatch_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.tell_of_end() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.tell_of_sign_in(p_session gatepost.sessions, p_known boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.tell_of_suppression() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.told_severity(p_email gatepost.emails) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.touch_session(p_session_id uuid, p_ip inet, p_interval interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.use_link(p_id uuid, p_purpose text, OUT outcome text, OUT user_id uuid, OUT session_id uuid, OUT email text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.wake_mail_workers() FROM PUBLIC;
