CREATE SCHEMA gatepost;

CREATE FUNCTION gatepost.abandon_batch(p_id uuid, p_code text, p_message text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform gatepost.finish_emails(array[e.id], 'unknown', p_code, p_message)
  from gatepost.emails e where e.batch_id = p_id and e.status = 'sending';
  delete from gatepost.email_batches b where b.id = p_id;
end;
$$;

CREATE FUNCTION gatepost.add_email_attachments(p_email_id uuid, p_attachments jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  insert into gatepost.email_attachments (email_id, position, filename, content_type, content)
  select
    p_email_id, a.position, a.file ->> 'filename', a.file ->> 'content_type', decode(a.file ->> 'content', 'base64')
  from jsonb_array_elements(p_attachments) with ordinality a (file, position);
exception
  when not_null_violation or invalid_parameter_value then
    raise exception using errcode = 'GP023', message = 'invalid_attachments', column = 'attachments',
      detail = 'p_attachments';
end;
$$;

CREATE FUNCTION gatepost.apply_email_event(p_event_id bigint, p_email_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION gatepost.apply_user_state() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  if old.disabled_at is null and new.disabled_at is not null then
    perform gatepost.end_sessions_of(new.id);
    perform gatepost.audit_state('user.disabled', 'user:' || new.id);
  elsif old.disabled_at is not null and new.disabled_at is null then
    perform gatepost.audit_state('user.enabled', 'user:' || new.id);
  end if;
  if new.role <> 'admin' or new.disabled_at is not null then
    perform gatepost.suspend_api_keys(new.id);
  end if;
  return null;
end;
$$;

CREATE FUNCTION gatepost.audit_session_ended() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  insert into gatepost.audit_log (actor, action, target, reason, ip, detail) values (
    coalesce(nullif(current_setting('gatepost.actor', true), ''), 'user:' || new.ended_by, 'system'),
    'session.ended', 'session:' || new.id,
    nullif(current_setting('gatepost.reason', true), ''),
    nullif(current_setting('gatepost.ip', true), '')::inet,
    jsonb_build_object('user_id', new.user_id, 'end_reason', new.end_reason)
  );
  return null;
end;
$$;

CREATE FUNCTION gatepost.audit_session_opened() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  insert into gatepost.audit_log (actor, action, target, ip, detail) values (
    'user:' || new.user_id, 'session.opened', 'session:' || new.id, new.ip,
    jsonb_build_object('user_id', new.user_id, 'kind', new.device_kind)
  );
  return null;
end;
$$;

CREATE FUNCTION gatepost.audit_state(p_action text, p_target text) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select gatepost.record_audit(
    coalesce(nullif(current_setting('gatepost.actor', true), ''), 'system'), p_action, p_target,
    nullif(current_setting('gatepost.reason', true), ''), nullif(current_setting('gatepost.ip', true), '')::inet
  );
$$;

CREATE FUNCTION gatepost.cancel_email(p_id uuid, p_actor text, p_ip inet) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  current_status text;
begin
  select e.status into current_status from gatepost.emails e where e.id = p_id for update;
  if not found then
    raise exception using errcode = 'GP004', message = 'email_not_found';
  elsif current_status <> 'queued' then
    raise exception using errcode = 'GP013', message = 'email_not_cancelable',
      detail = format('status %L', current_status);
  end if;
  update gatepost.emails e set status = 'canceled' where e.id = p_id;
  perform gatepost.erase_email_secrets(array[p_id]);
  perform gatepost.record_email_event(array[p_id], 'canceled', jsonb_build_object('by', p_actor));
  perform gatepost.record_audit(p_actor, 'email.canceled', 'email:' || p_id, null, p_ip);
end;
$$;

CREATE FUNCTION gatepost.change_password(p_user_id uuid, p_session_id uuid, p_old_hash text, p_new_hash text, p_ip inet, p_idle_timeout interval) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  revoked integer;
begin
  update gatepost.users u set password_hash = p_new_hash, password_changed_at = now()
  where u.id = p_user_id and u.password_hash = p_old_hash;
  if not found then
    raise exception using errcode = 'GP045', message = 'password_not_current';
  end if;
  revoked := gatepost.revoke_other_sessions(p_user_id, p_session_id, p_user_id, 'password_changed', p_idle_timeout);
  update gatepost.sessions s set authenticated_at = now() where s.id = p_session_id and s.ended_at is null;
  perform gatepost.record_audit('user:' || p_user_id, 'password.changed', 'user:' || p_user_id, null, p_ip);
  perform gatepost.queue_notification(
    'password-changed', p_user_id, jsonb_build_object('session_id', p_session_id)
  );
  return revoked;
end;
$$;

CREATE FUNCTION gatepost.check_api_key_owner() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform from gatepost.users u
  where u.id = new.owner_id and u.role = 'admin' and u.disabled_at is null
  for share;
  if not found then
    raise exception using errcode = 'GP059', message = 'key_owner_not_admin';
  end if;
  return new;
end;
$$;

CREATE FUNCTION gatepost.clear_attempts(p_keys bytea[]) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select set_config('synchronous_commit', 'off', true);
  delete from gatepost.rate_limits r
  using (select d.key from gatepost.rate_limits d where d.key = any (p_keys) order by d.key for update) found
  where r.key = found.key;
$$;

CREATE FUNCTION gatepost.confirm_email(p_link_id uuid, p_session_id uuid, p_ip inet, p_idle_timeout interval, OUT outcome text, OUT revoked integer, OUT reset_link_id uuid) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  used record;
  link gatepost.links;
  account gatepost.users;
  registered_here boolean;
begin
  revoked := 0;
  select * into used from gatepost.use_link(p_link_id, 'verify_email');
  outcome := used.outcome;
  link := used.link;
  if outcome <> 'ok' then
    return;
  end if;
  select * into account from gatepost.users u where u.id = link.user_id;
  if lower(account.email) <> lower(link.email) then
    outcome := 'unknown';
    return;
  elsif account.email_verified_at is not null then
    return;
  end if;

  registered_here := exists (
    select from gatepost.sessions s
    where s.id = p_session_id and s.id = account.registration_session_id and s.user_id = account.id
      and gatepost.session_end_reason(s, p_idle_timeout) is null
  );
  update gatepost.users u set email_verified_at = now() where u.id = account.id;
  if not registered_here then
    update gatepost.users u set password_hash = '!', password_changed_at = now() where u.id = account.id;
    revoked := gatepost.revoke_other_sessions(account.id, null, account.id, 'password_changed', p_idle_timeout);
    reset_link_id := gatepost.create_reset_link(account.id);
  end if;
  perform gatepost.record_audit(
    'user:' || account.id, 'email.confirmed', 'user:' || account.id, null, p_ip, jsonb_build_object('ended', revoked)
  );
  perform gatepost.queue_notification('welcome', account.id);
end;
$$;

CREATE FUNCTION gatepost.count_attempt(p_keys bytea[], p_amounts integer[], p_seconds integer[]) RETURNS double precision
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  moment timestamptz := clock_timestamp();
  bucket record;
  longest interval;
begin
  select max(r.empty_at - moment - make_interval(secs => b.seconds - b.seconds::double precision / b.amount))
  into longest
  from unnest(p_keys, p_amounts, p_seconds) b (key, amount, seconds)
  join gatepost.rate_limits r on r.key = b.key;
  if longest > interval '0' then
    return extract(epoch from longest);
  end if;

  -- Nobody waits for the disk.
  perform set_config('synchronous_commit', 'off', true);
  for bucket in
    select b.key, make_interval(secs => b.seconds::double precision / b.amount) as step,
      make_interval(secs => b.seconds) as capacity
    from unnest(p_keys, p_amounts, p_seconds) b (key, amount, seconds)
    order by b.key
  loop
    insert into gatepost.rate_limits as r (key, empty_at) values (bucket.key, moment + bucket.step)
    on conflict (key) do update set empty_at = greatest(r.empty_at, moment) + bucket.step
      where r.empty_at - moment <= bucket.capacity - bucket.step;
    if not found then
      select r.empty_at - moment - (bucket.capacity - bucket.step) into longest
      from gatepost.rate_limits r where r.key = bucket.key;
      return greatest(extract(epoch from longest), 0.001);
    end if;
  end loop;
  return 0;
end;
$$;

CREATE FUNCTION gatepost.create_batch(p_worker uuid, p_lease interval, p_transport text, p_max_emails integer) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  first record;
  new_id uuid := gen_random_uuid();
  -- a variable, because an index cannot be used with the volatile clock_timestamp()
  due_before timestamptz := clock_timestamp();
begin
  select e.id, e.alone, e.template, e.expires_at into first
  from gatepost.emails e
  where e.status = 'queued' and e.due_at <= due_before
  order by e.security desc, e.due_at, e.id
  limit 1
  for update skip locked;
  if not found then
    return null;
  end if;

  insert into gatepost.email_batches (id, transport, worker, due_at)
  values (new_id, p_transport, p_worker, clock_timestamp() + p_lease);
  with due as (
    select e.id from gatepost.emails e
    where e.status = 'queued' and e.due_at <= due_before and (e.id = first.id or not (
      e.alone or first.alone or (e.expires_at is null) <> (first.expires_at is null)
      or (e.expires_at is not null and e.template <> first.template)
    ))
    order by e.security desc, e.due_at, e.id
    limit p_max_emails
    for update skip locked
  ), numbered as (
    select due.id, row_number() over () as position from due
  )
  update gatepost.emails e set status = 'sending', batch_id = new_id, position = numbered.position
  from numbered
  where e.id = numbered.id;
  perform gatepost.finish_emails(array[e.id], 'suppressed', 'suppressed_' || s.reason)
  from gatepost.emails e
  join gatepost.email_suppressions s on s.email = lower(e.recipient)
  where e.batch_id = new_id and gatepost.suppression_applies(s.reason, e.security);
  return new_id;
end;
$$;

CREATE FUNCTION gatepost.create_reset_link(p_user_id uuid) RETURNS uuid
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  insert into gatepost.links (purpose, user_id, email, expires_at)
  select 'reset_password', u.id, u.email, clock_timestamp() + interval '1 hour'
  from gatepost.users u
  where u.id = p_user_id and u.disabled_at is null
  returning id;
$$;

CREATE FUNCTION gatepost.defer_emails(p_email_ids uuid[], p_fault text, p_code text, p_message text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION gatepost.defer_webhook_delivery(p_id uuid, p_worker uuid, p_delay interval, p_max_age interval) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  delete from gatepost.webhook_deliveries d
  where d.id = p_id and d.worker = p_worker and d.created_at + p_max_age <= clock_timestamp();
  if found then
    return true;
  end if;
  update gatepost.webhook_deliveries d
  set worker = null, due_at = least(clock_timestamp() + p_delay, d.created_at + p_max_age)
  where d.id = p_id and d.worker = p_worker;
  return false;
end;
$$;

CREATE FUNCTION gatepost.delete_empty_rate_limits(p_limit integer) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  delete from gatepost.rate_limits r
  using (
    select d.key from gatepost.rate_limits d
    where d.empty_at < clock_timestamp()
    limit p_limit
    for update skip locked
  ) idle
  where r.key = idle.key;
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
    raise exception using errcode = 'GP003', message = 'template_not_found';
  end if;

  update gatepost.email_template_locales l
  set draft = null, diagnostics = '[]', draft_tag = null, published_version = null,
      updated_at = clock_timestamp(), updated_by = p_actor
  where l.key = p_key;

  perform gatepost.record_audit(
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
  revoked := gatepost.lock_out_user(p_user_id, p_actor, p_reason, p_ip, p_idle_timeout);
  delete from gatepost.users u where u.id = p_user_id;
  return revoked;
end;
$$;

CREATE FUNCTION gatepost.device_network(p_ip inet) RETURNS inet
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select network(set_masklen(p_ip, case family(p_ip) when 4 then 32 else 64 end))::inet;
$$;

CREATE FUNCTION gatepost.disable_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet, p_idle_timeout interval) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  revoked integer;
begin
  revoked := gatepost.lock_out_user(p_user_id, p_actor, p_reason, p_ip, p_idle_timeout);
  update gatepost.users u set disabled_at = now() where u.id = p_user_id and u.disabled_at is null;
  return revoked;
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
  perform gatepost.set_actor(p_actor, p_reason, p_ip);
  update gatepost.users u set disabled_at = null where u.id = p_user_id;
  if not found then
    raise exception using errcode = 'GP002', message = 'user_not_found';
  end if;
end;
$$;

CREATE FUNCTION gatepost.end_sessions_of(p_user_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform gatepost.lock_sessions(p_user_id);
  update gatepost.sessions s
  set ended_at = clock_timestamp(), end_reason = 'signed_out_by_admin'
  from (
    select a.id from gatepost.sessions a where a.user_id = p_user_id and a.ended_at is null order by a.id for update
  ) active
  where s.id = active.id;
end;
$$;

CREATE FUNCTION gatepost.erase_email() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  if new.status = 'queued' then
    new.status := 'canceled';
    new.batch_id := null;
  end if;
  -- A reserved name (RFC 2606): nothing can be sent to it.
  new.recipient := 'deleted@deleted.invalid';
  new.reply_to := null;
  new.variables := '{}';
  new.subject := null;
  new.payload := null;
  new.error_message := null;
  new.idempotency_key := null;
  new.request_hash := null;
  delete from gatepost.email_attachments a where a.email_id = new.id;
  update gatepost.email_events v set detail = v.detail - 'message'
  where v.email_id = new.id and v.detail ? 'message';
  return new;
end;
$$;

CREATE FUNCTION gatepost.erase_email_event() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  if exists (
    select from gatepost.emails e where e.id = new.email_id and e.erased_at is not null and e.status <> 'sending'
  ) then
    new.detail := new.detail - 'message';
  end if;
  return new;
end;
$$;

CREATE FUNCTION gatepost.erase_email_secrets(p_email_ids uuid[]) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  with erased as (
    update gatepost.emails e set subject = null, payload = null, variables = '{}'
    where e.id = any (p_email_ids) and e.secret and e.notification is null
    returning e.id
  )
  delete from gatepost.email_attachments a using erased where a.email_id = erased.id;
$$;

CREATE FUNCTION gatepost.erase_user() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform gatepost.end_sessions_of(old.id);
  delete from gatepost.refresh_tokens t using gatepost.sessions s where s.id = t.session_id and s.user_id = old.id;
  update gatepost.sessions s
  set name = null, device_kind = 'unknown', browser = null, os = null, ip = null
  where s.user_id = old.id;

  update gatepost.emails e set erased_at = clock_timestamp()
  from (
    select m.id from gatepost.emails m
    where m.erased_at is null
      and (lower(m.recipient) collate "C" = lower(old.email) or m.notification ->> 'user_id' = old.id::text)
    order by m.id
    for update
  ) found
  where e.id = found.id;

  perform gatepost.suspend_api_keys(old.id);
  perform gatepost.audit_state('user.deleted', 'user:' || old.id);
  return null;
end;
$$;

CREATE FUNCTION gatepost.expire_emails(p_batch_id uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION gatepost.expire_session(p_session_id uuid, p_idle_timeout interval) RETURNS void
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

CREATE FUNCTION gatepost.expire_user_sessions(p_user_id uuid, p_idle_timeout interval) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select gatepost.expire_session(s.id, p_idle_timeout)
  from gatepost.sessions s
  where s.user_id = p_user_id and s.ended_at is null;
$$;

CREATE FUNCTION gatepost.fail_emails(p_batch_id uuid, p_worker uuid, p_email_ids uuid[], p_messages text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform from gatepost.email_batches b where b.id = p_batch_id and b.worker = p_worker for update;
  if found then
    perform gatepost.finish_emails(array[failed.id], 'failed', 'rendering_failed', failed.message)
    from unnest(p_email_ids, p_messages) failed (id, message);
  end if;
end;
$$;

CREATE FUNCTION gatepost.find_queued_email(p_actor text, p_key text, p_hash bytea) RETURNS uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  email record;
begin
  select e.id, e.request_hash into email from gatepost.emails e
  where e.queued_by = p_actor and e.idempotency_key = p_key;
  if email.request_hash <> p_hash then
    raise exception using errcode = 'GP011', message = 'idempotency_key_reused', column = 'idempotency_key';
  end if;
  return email.id;
end;
$$;

CREATE FUNCTION gatepost.find_template_version(p_template text, p_locale text, OUT version integer, OUT locale text) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select coalesce(l.published_version, 0), wanted.locale
  from unnest(array[p_locale, split_part(p_locale, '-', 1), 'en']) with ordinality wanted (locale, position)
  left join gatepost.email_template_locales l
    on l.key = p_template and l.locale = wanted.locale and l.published_version is not null
  left join gatepost.builtin_templates b on b.key = p_template and b.locale = wanted.locale
  where l.key is not null or b.key is not null
  order by wanted.position
  limit 1;
$$;

CREATE FUNCTION gatepost.finish_emails(p_email_ids uuid[], p_status text, p_code text, p_message text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION gatepost.forget_summaries() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  delete from gatepost.summarized_notifications s where s.user_id = old.id;
  return null;
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
    notification jsonb,
    security boolean NOT NULL,
    secret boolean DEFAULT false NOT NULL,
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
    error_code text,
    error_message text,
    subject text,
    payload text,
    batch_id uuid,
    "position" smallint,
    provider text,
    provider_id text,
    erased_at timestamp with time zone,
    CONSTRAINT emails_check CHECK (((error_message IS NULL) OR (error_code IS NOT NULL))),
    CONSTRAINT emails_idempotency_key_check CHECK (((char_length(idempotency_key) >= 1) AND (char_length(idempotency_key) <= 300))),
    CONSTRAINT emails_notification_check CHECK ((jsonb_typeof(notification) = 'object'::text)),
    CONSTRAINT emails_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'sending'::text, 'sent'::text, 'delayed'::text, 'delivered'::text, 'bounced'::text, 'complained'::text, 'suppressed'::text, 'failed'::text, 'canceled'::text, 'expired'::text, 'unknown'::text]))),
    CONSTRAINT emails_variables_check CHECK ((jsonb_typeof(variables) = 'object'::text))
);

CREATE FUNCTION gatepost.freeze_batch(p_id uuid, p_worker uuid, p_sender text, p_key_lifetime interval, p_email_ids uuid[], p_subjects text[], p_payloads text[]) RETURNS SETOF gatepost.emails
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  attempt integer;
begin
  -- An attempt that is lost in a crash would be repeated under another key.
  perform set_config('synchronous_commit', 'on', true);
  update gatepost.email_batches b
  set sender = coalesce(b.sender, p_sender), attempts = b.attempts + 1,
      key_expires_at = coalesce(b.key_expires_at, clock_timestamp() + p_key_lifetime)
  where b.id = p_id and b.worker = p_worker
  returning b.attempts into attempt;
  if not found then
    return;
  end if;

  update gatepost.emails e set subject = frozen.subject, payload = frozen.payload
  from unnest(p_email_ids, p_subjects, p_payloads) frozen (id, subject, payload)
  where e.id = frozen.id and e.payload is null;
  if attempt = 1 then
    perform gatepost.expire_emails(p_id);
  end if;
  return query
    update gatepost.emails e set attempts = e.attempts + 1 where e.batch_id = p_id returning e.*;
  if not found then
    delete from gatepost.email_batches b where b.id = p_id;
  end if;
end;
$$;

CREATE FUNCTION gatepost.grant_application_role(p_role name) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  item record;
  policy text := 'application ' || p_role;
  verb text;
begin
  execute format('grant usage on schema gatepost to %I', p_role);
  for item in
    select c.oid, c.relname,
      case
        when c.relname in ('audit_log', 'audit_seals') then array['select', 'insert']
        when c.relname in ('audit_drops', 'schema_migrations') then array['select']
        else array['select', 'insert', 'update', 'delete']
      end as verbs
    from pg_catalog.pg_class c
    where c.relnamespace = 'gatepost'::regnamespace and c.relkind in ('r', 'p')
    order by c.relname
  loop
    foreach verb in array item.verbs loop
      if not has_table_privilege(p_role, item.oid, verb) then
        execute format('grant %s on gatepost.%I to %I', verb, item.relname, p_role);
      end if;
      if not exists (
        select from pg_catalog.pg_policy p where p.polrelid = item.oid and p.polname = policy || ' ' || verb
      ) then
        execute format(
          'create policy %I on gatepost.%I for %s to %I %s', policy || ' ' || verb, item.relname, verb, p_role,
          case verb when 'insert' then 'with check (true)' else 'using (true)' end
        );
      end if;
    end loop;
  end loop;

  for item in
    select f.oid::regprocedure as signature from pg_catalog.pg_proc f
    where f.pronamespace = 'gatepost'::regnamespace and f.proname <> 'grant_application_role'
      and not has_function_privilege(p_role, f.oid, 'execute')
    order by f.oid
  loop
    execute format('grant execute on function %s to %I', item.signature, p_role);
  end loop;
  -- For the check that a row's id is the sequence's own.
  for item in
    select c.oid, c.relname from pg_catalog.pg_class c
    where c.relnamespace = 'gatepost'::regnamespace and c.relkind = 'S'
      -- a table's privilege, because the other function fails for what is not a sequence, and may be called first
      and not has_table_privilege(p_role, c.oid, 'select')
  loop
    execute format('grant select on sequence gatepost.%I to %I', item.relname, p_role);
  end loop;
end;
$$;

CREATE FUNCTION gatepost.keep_last_admin() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  if tg_op = 'TRUNCATE' or not exists (
    select from gatepost.users u where u.role = 'admin' and u.disabled_at is null
  ) then
    raise exception using errcode = 'GP060', message = 'last_admin';
  end if;
  return null;
end;
$$;

CREATE FUNCTION gatepost.lease_batch(p_worker uuid, p_lease interval, p_transports text[], p_max_emails integer[], OUT batch_id uuid, OUT transport text, OUT pause double precision) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  due_again uuid;
  available record;
begin
  perform gatepost.expire_emails();
  select b.id, b.transport into due_again, transport
  from gatepost.email_batches b
  join gatepost.email_transports t on t.name = b.transport
  where b.due_at <= clock_timestamp() and (
    b.attempts = 0 or b.key_expires_at <= clock_timestamp()
    or b.transport = any (p_transports) and t.paused_until <= clock_timestamp()
  )
  order by b.due_at
  limit 1
  for update of b skip locked;
  if due_again is not null then
    pause := 0;
    if gatepost.resume_batch(due_again, p_worker, p_lease) then
      batch_id := due_again;
      pause := gatepost.reserve_send_time(transport, due_again);
    end if;
    return;
  end if;

  select t.name, p_max_emails[listed.position] as max_emails, t.next_send_at into available
  from unnest(p_transports) with ordinality listed (name, position)
  join gatepost.email_transports t using (name)
  where t.paused_until <= clock_timestamp()
  order by listed.position
  limit 1;
  if available.name is null then
    select extract(epoch from min(t.paused_until) - clock_timestamp()) into pause
    from gatepost.email_transports t where t.name = any (p_transports);
  elsif available.next_send_at > clock_timestamp() + interval '1 second' then
    -- Do not lease too far ahead: an email that is queued meanwhile may be more urgent.
    pause := extract(epoch from available.next_send_at - clock_timestamp()) - 0.5;
  else
    transport := available.name;
    batch_id := gatepost.create_batch(p_worker, p_lease, available.name, available.max_emails);
    pause := case when batch_id is not null then gatepost.reserve_send_time(available.name, batch_id) end;
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
    attempts integer DEFAULT 0 NOT NULL
);

CREATE FUNCTION gatepost.lease_webhook_delivery(p_worker uuid, p_lease interval) RETURNS TABLE(delivery gatepost.webhook_deliveries, session gatepost.sessions)
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  -- a variable, because an index cannot be used with the volatile clock_timestamp()
  due_before timestamptz := clock_timestamp();
begin
  return query
    update gatepost.webhook_deliveries d
    set worker = p_worker, due_at = due_before + p_lease, attempts = d.attempts + 1
    from gatepost.sessions s
    where s.id = d.session_id and d.id = (
      select w.id from gatepost.webhook_deliveries w
      where w.due_at <= due_before
      order by w.due_at
      limit 1
      for update skip locked
    )
    returning d, s;
end;
$$;

CREATE FUNCTION gatepost.limit_notifications() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  sent integer;
begin
  perform pg_advisory_xact_lock(hashtextextended('gatepost.notifications:' || (new.notification ->> 'user_id'), 0));
  select count(*) into sent
  from gatepost.emails e
  where e.notification ->> 'user_id' = new.notification ->> 'user_id' and e.template = new.template
    and e.recipient = new.recipient and e.resend_of is null and e.id <> new.id
    and e.created_at > clock_timestamp() - interval '1 hour';
  if sent >= 5 then
    delete from gatepost.emails e where e.id = new.id;
    delete from gatepost.links l where l.id = (new.notification ->> 'link_id')::uuid;
    perform gatepost.summarize_notification(new);
  end if;
  return null;
end;
$$;

CREATE FUNCTION gatepost.lock_admins() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform pg_advisory_xact_lock(hashtextextended('gatepost.admins', 0));
  return null;
end;
$$;

CREATE FUNCTION gatepost.lock_out_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet, p_idle_timeout interval) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  -- Taken before the user's row, as the triggers of a plain statement do.
  perform pg_advisory_xact_lock(hashtextextended('gatepost.admins', 0));
  perform from gatepost.users u where u.id = p_user_id for update;
  if not found then
    raise exception using errcode = 'GP002', message = 'user_not_found';
  end if;
  return gatepost.revoke_user_sessions(p_user_id, p_actor, p_reason, p_ip, p_idle_timeout);
end;
$$;

CREATE FUNCTION gatepost.lock_sessions(p_user_id uuid, p_other_id uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform from gatepost.users u where u.id = p_user_id for no key update;
  perform pg_advisory_xact_lock(hashtextextended('gatepost.sessions:' || p_user_id, 0));
  perform from gatepost.sessions s
  where s.user_id = p_user_id and s.ended_at is null or s.id = p_other_id
  order by s.id
  for no key update;
end;
$$;

CREATE FUNCTION gatepost.mark_template_secrets(p_key text, p_contains_secrets boolean, p_actor text, p_ip inet) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  settled uuid[];
begin
  update gatepost.email_templates t set contains_secrets = p_contains_secrets
  where t.key = p_key and t.deleted_at is null;
  if not found then
    raise exception using errcode = 'GP003', message = 'template_not_found';
  end if;
  if p_contains_secrets then
    update gatepost.emails e set secret = true where e.template = p_key and not e.secret;
    -- The capture transport keeps emails only here, and it is not used in production.
    select array_agg(e.id) into settled from gatepost.emails e
    where e.template = p_key and e.secret and e.status not in ('queued', 'sending')
      and e.provider is distinct from 'capture';
    perform gatepost.erase_email_secrets(settled);
  end if;
  perform gatepost.record_audit(
    p_actor, 'template.secrets_marked', 'template:' || p_key, null, p_ip,
    jsonb_build_object('contains_secrets', p_contains_secrets)
  );
end;
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
  -- the same order in all concurrent calls
  order by v.id;
end;
$$;

CREATE FUNCTION gatepost.may_send_reset_link(p_user_id uuid) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select count(*) < 5 from gatepost.links l
  where l.user_id = p_user_id and l.purpose = 'reset_password' and l.created_at > clock_timestamp() - interval '1 hour';
$$;

CREATE FUNCTION gatepost.notify_admin_added() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform gatepost.notify_admins('admin-added', jsonb_build_object('account_id', new.id));
  return null;
end;
$$;

CREATE FUNCTION gatepost.notify_admins(p_template text, p_about jsonb) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select gatepost.queue_notification(p_template, a.id, p_about)
  from (select u.id from gatepost.users u where u.role = 'admin' and u.disabled_at is null order by u.id) a;
$$;

CREATE FUNCTION gatepost.notify_api_key_created() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform gatepost.notify_admins('api-key-created', jsonb_build_object('api_key_id', new.id));
  return null;
end;
$$;

CREATE FUNCTION gatepost.notify_new_device(p_session gatepost.sessions, p_known boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  if p_known or not exists (
    select from gatepost.sessions s where s.user_id = (p_session).user_id and s.id <> (p_session).id
  ) then
    return;
  end if;
  if exists (
    select from gatepost.sessions s
    left join gatepost.emails e on e.notification ->> 'session_id' = s.id::text and e.template = 'new-device'
    where s.user_id = (p_session).user_id and s.id <> (p_session).id
      and s.browser is not distinct from (p_session).browser and s.os is not distinct from (p_session).os
      and gatepost.device_network(s.ip) = gatepost.device_network((p_session).ip)
      and s.created_at > clock_timestamp() - interval '24 hours'
      and coalesce(e.status, '') not in ('failed', 'expired', 'canceled', 'bounced')
      and (s.end_reason is distinct from 'not_me' or e.created_at > clock_timestamp() - interval '15 minutes')
  ) then
    return;
  end if;
  perform gatepost.queue_notification(
    'new-device', (p_session).user_id, jsonb_build_object('session_id', (p_session).id), 'not_me', interval '30 days'
  );
end;
$$;

CREATE FUNCTION gatepost.notify_session_ended() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  insert into gatepost.webhook_deliveries (session_id)
  select new.id where exists (select from gatepost.webhooks);
  perform pg_notify('gatepost_session_ended', new.id::text);
  return null;
end;
$$;

CREATE FUNCTION gatepost.open_session(p_session_id uuid, p_user_id uuid, p_token_hash bytea, p_name text, p_device_kind text, p_browser text, p_os text, p_ip inet, p_lifetime interval, p_idle_timeout interval, p_max_sessions integer, p_replaced_id uuid DEFAULT NULL::uuid, p_known_device boolean DEFAULT false) RETURNS SETOF gatepost.sessions
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  opened gatepost.sessions;
begin
  perform gatepost.lock_sessions(p_user_id, p_replaced_id);
  perform gatepost.expire_user_sessions(p_user_id, p_idle_timeout);

  update gatepost.sessions s
  set ended_at = clock_timestamp(), end_reason = 'signed_out', ended_by = s.user_id
  where s.id = p_replaced_id and s.ended_at is null;

  insert into gatepost.sessions (id, user_id, name, device_kind, browser, os, ip, expires_at)
  values (p_session_id, p_user_id, p_name, p_device_kind, p_browser, p_os, p_ip, clock_timestamp() + p_lifetime)
  returning * into opened;
  return next opened;
  perform gatepost.notify_new_device(opened, p_known_device);

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
  content jsonb;
  number integer;
begin
  select l.draft into content from gatepost.email_template_locales l
  where l.key = p_key and l.locale = p_locale and l.draft_tag = p_tag
  for update;
  if not found then
    raise exception using errcode = 'GP012', message = 'draft_changed';
  end if;

  insert into gatepost.email_template_versions (key, locale, version, source, prepared, published_by)
  select p_key, p_locale, coalesce(max(v.version), 0) + 1, content, p_prepared, p_actor
  from gatepost.email_template_versions v
  where v.key = p_key and v.locale = p_locale
  returning version into number;

  update gatepost.email_template_locales l
  set draft = null, diagnostics = '[]', draft_tag = null, published_version = number,
      updated_at = clock_timestamp(), updated_by = p_actor
  where l.key = p_key and l.locale = p_locale;

  perform gatepost.record_audit(
    p_actor, 'template.published', 'template:' || p_key, null, p_ip,
    jsonb_build_object('locale', p_locale, 'version', number)
  );
  return number;
end;
$$;

CREATE FUNCTION gatepost.queue_email(p_template text, p_to text, p_variables jsonb DEFAULT '{}'::jsonb, p_locale text DEFAULT 'en'::text, p_reply_to text DEFAULT NULL::text, p_attachments jsonb DEFAULT '[]'::jsonb, p_send_at timestamp with time zone DEFAULT NULL::timestamp with time zone, p_expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, p_idempotency_key text DEFAULT NULL::text, p_actor text DEFAULT 'application'::text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
  -- A role that may only execute this function cannot queue in another actor's name; one that may write the table can.
  actor text := case
    when has_table_privilege(session_user, 'gatepost.emails', 'insert') then p_actor else 'application'
  end;
  hash bytea := case when p_idempotency_key is not null then sha256(convert_to(jsonb_build_array(
    p_template, p_to, p_variables, p_locale, p_reply_to, p_attachments, p_send_at, p_expires_at
  )::text, 'UTF8')) end;
  content record;
  queued uuid := gatepost.find_queued_email(actor, p_idempotency_key, hash);
begin
  if queued is not null then
    return queued;
  end if;
  perform gatepost.validate_email_arguments(
    p_to, p_reply_to, p_variables, p_attachments, p_send_at, p_expires_at, p_idempotency_key
  );
  select * into content from gatepost.find_template_version(p_template, p_locale);
  if content.version is null then
    raise exception using errcode = 'GP005', message = 'template_not_available', column = 'template',
      detail = format('template %L, locale %L', p_template, p_locale);
  end if;

  insert into gatepost.emails (
    template, version, locale, recipient, reply_to, variables, security, secret, alone, queued_by, idempotency_key,
    request_hash, send_at, expires_at, due_at
  )
  select
    p_template, content.version, content.locale, p_to, p_reply_to, p_variables,
    exists (select from gatepost.builtin_templates b where b.key = p_template and b.security),
    gatepost.template_contains_secrets(p_template), p_attachments <> '[]', actor, p_idempotency_key, hash, p_send_at, p_expires_at, coalesce(p_send_at, now())
  on conflict (queued_by, idempotency_key) where idempotency_key is not null do nothing
  returning id into queued;
  if queued is null then
    -- A concurrent call used the key first.
    return gatepost.find_queued_email(actor, p_idempotency_key, hash);
  end if;
  if p_attachments <> '[]' then
    perform gatepost.add_email_attachments(queued, p_attachments);
    perform gatepost.erase_email_secrets(array[e.id])
    from gatepost.emails e where e.id = queued and e.status = 'suppressed';
  end if;
  return queued;
end;
$$;

CREATE FUNCTION gatepost.queue_notification(p_template text, p_user_id uuid, p_about jsonb DEFAULT '{}'::jsonb, p_purpose text DEFAULT NULL::text, p_lifetime interval DEFAULT NULL::interval, p_to text DEFAULT NULL::text) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  recipient gatepost.users;
  content record;
  link_id uuid;
  queued uuid;
begin
  select * into recipient from gatepost.users u where u.id = p_user_id;
  if recipient.email_verified_at is null and p_to is null
    and coalesce(p_purpose, '') not in ('verify_email', 'reset_password')
  then
    return null;
  end if;
  select * into content from gatepost.find_template_version(
    p_template, coalesce(recipient.user_metadata ->> 'locale', recipient.locale, 'en')
  );
  if recipient.id is null or content.version is null then
    return null;
  end if;

  if p_purpose is not null then
    insert into gatepost.links (purpose, user_id, session_id, email, expires_at)
    values (p_purpose, p_user_id, (p_about ->> 'session_id')::uuid, recipient.email, clock_timestamp() + p_lifetime)
    returning id into link_id;
  end if;
  insert into gatepost.emails (
    template, version, locale, recipient, variables, notification, security, secret, alone, queued_by, expires_at
  )
  select
    p_template, content.version, content.locale, coalesce(p_to, recipient.email), '{}',
    jsonb_strip_nulls(p_about || jsonb_build_object(
      'user_id', p_user_id, 'link_id', link_id, 'purpose', p_purpose, 'at', clock_timestamp(),
      'transaction', pg_current_xact_id()::text
    )),
    exists (select from gatepost.builtin_templates b where b.key = p_template and b.security),
    gatepost.template_contains_secrets(p_template), false, 'gatepost', clock_timestamp() + p_lifetime
  returning id into queued;
  return queued;
end;
$$;

CREATE FUNCTION gatepost.record_audit(p_actor text, p_action text, p_target text, p_reason text DEFAULT NULL::text, p_ip inet DEFAULT NULL::inet, p_detail jsonb DEFAULT '{}'::jsonb) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  insert into gatepost.audit_log (actor, action, target, reason, ip, detail)
  values (p_actor, p_action, p_target, p_reason, p_ip, p_detail);
$$;

CREATE FUNCTION gatepost.record_email_event(p_email_ids uuid[], p_type text, p_detail jsonb DEFAULT '{}'::jsonb) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  insert into gatepost.email_events (email_id, type, detail)
  select each, p_type, p_detail from unnest(p_email_ids) each;
$$;

CREATE FUNCTION gatepost.record_provider_event(p_event_id text, p_provider_id text, p_email_id uuid, p_at timestamp with time zone, p_type text, p_detail jsonb) RETURNS boolean
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
  -- Our own id (from the tag) takes precedence: it is known before the provider's id is.
  perform gatepost.apply_email_event(new_id, e.id)
  from gatepost.emails e
  where e.id = p_email_id
    or e.provider_id = p_provider_id and not exists (select from gatepost.emails t where t.id = p_email_id)
  limit 1;
  return true;
end;
$$;

CREATE FUNCTION gatepost.record_suppression() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if tg_op = 'INSERT' then
    perform gatepost.record_email_event(array[new.id], 'suppressed', jsonb_build_object('code', new.error_code));
    perform gatepost.erase_email_secrets(array[new.id]);
  end if;
  if new.security then
    perform gatepost.record_audit(
      'mail', 'email.suppressed', 'email:' || new.id, null, null, jsonb_build_object('template', new.template)
    );
  end if;
  return null;
end;
$$;

CREATE TABLE gatepost.email_batches (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    transport text NOT NULL,
    worker uuid,
    due_at timestamp with time zone NOT NULL,
    sender text,
    key_expires_at timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    uncertain boolean DEFAULT false NOT NULL,
    CONSTRAINT email_batches_check CHECK (((attempts = 0) = (key_expires_at IS NULL)))
);

CREATE FUNCTION gatepost.record_transport_error(p_batch gatepost.email_batches, p_fault text, p_code text, p_message text, p_delay interval, p_requests_per_second double precision) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION gatepost.refresh_session(p_session_id uuid, p_token_hash bytea, p_successor_hash bytea, p_successor_encrypted bytea, p_ip inet, p_grace interval, p_idle_timeout interval, OUT outcome text, OUT successor_encrypted bytea, OUT session gatepost.sessions) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  token gatepost.refresh_tokens;
begin
  -- Ending a session locks the same row, so a refresh runs either before the end or sees it.
  select * into session from gatepost.sessions s where s.id = p_session_id for update;
  if not found then
    outcome := 'unknown';
    return;
  end if;

  if gatepost.session_end_reason(session, p_idle_timeout) is not null then
    perform gatepost.expire_session(p_session_id, p_idle_timeout);
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
        successor_encrypted = p_successor_encrypted,
        rotated_at = clock_timestamp()
    where t.session_id = p_session_id;
  elsif token.previous_hash = p_token_hash and token.rotated_at > clock_timestamp() - p_grace then
    outcome := 'replayed';
    successor_encrypted := token.successor_encrypted;
  else
    outcome := 'reused';
    update gatepost.sessions s
    set ended_at = clock_timestamp(), end_reason = 'refresh_token_reused'
    where s.id = p_session_id
    returning * into session;
    perform gatepost.queue_notification(
      'suspicious-refresh', session.user_id, jsonb_build_object('session_id', p_session_id)
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
    registration_session_id uuid,
    locale text,
    CONSTRAINT users_role_check CHECK ((role = ANY (ARRAY['user'::text, 'admin'::text]))),
    CONSTRAINT users_user_metadata_check CHECK ((jsonb_typeof(user_metadata) = 'object'::text))
);

CREATE FUNCTION gatepost.register_user(p_email text, p_password_hash text, p_ip inet) RETURNS SETOF gatepost.users
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  account gatepost.users;
begin
  insert into gatepost.users (email, password_hash) values (p_email, p_password_hash)
  on conflict (lower(email)) do nothing
  returning * into account;
  if account.id is not null then
    perform gatepost.record_audit('user:' || account.id, 'user.registered', 'user:' || account.id, null, p_ip);
    perform gatepost.request_email_verification(account.id);
    return next account;
  end if;
end;
$$;

CREATE FUNCTION gatepost.reject_audit_change() RETURNS trigger
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
  raise exception using errcode = 'GP031', message = 'audit_log_append_only', table = tg_table_name;
end;
$$;

CREATE FUNCTION gatepost.reject_disabled_user() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  if exists (select from gatepost.users u where u.id = new.user_id and u.disabled_at is not null) then
    raise exception using errcode = 'GP062', message = 'user_disabled';
  end if;
  return new;
end;
$$;

CREATE FUNCTION gatepost.reject_version_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  raise exception using errcode = 'GP033', message = 'template_version_immutable';
end;
$$;

CREATE FUNCTION gatepost.release_batch(p_id uuid, p_worker uuid, p_delay interval) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  attempts_made integer;
begin
  select b.attempts into attempts_made
  from gatepost.email_batches b where b.id = p_id and b.worker = p_worker
  for update;
  if attempts_made = 0 then
    perform gatepost.requeue_batch(p_id, p_delay);
  elsif attempts_made > 0 then
    update gatepost.email_batches b
    set worker = null, uncertain = true, due_at = clock_timestamp() + p_delay
    where b.id = p_id;
  end if;
end;
$$;

CREATE FUNCTION gatepost.report_changed_email() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  update gatepost.links l set expires_at = clock_timestamp()
  where l.user_id = new.id and l.used_at is null and l.expires_at > clock_timestamp();
  perform gatepost.record_audit(
    coalesce(nullif(current_setting('gatepost.actor', true), ''), 'system'),
    'email.changed', 'user:' || new.id,
    nullif(current_setting('gatepost.reason', true), ''),
    nullif(current_setting('gatepost.ip', true), '')::inet
  );
  if old.email_verified_at is not null then
    perform gatepost.queue_notification('email-changed', new.id, p_to => old.email);
  end if;
  return null;
end;
$$;

CREATE FUNCTION gatepost.report_session(p_user_id uuid, p_session_id uuid, p_ip inet) RETURNS integer
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
  perform gatepost.record_audit(
    'user:' || p_user_id, 'session.reported', 'session:' || p_session_id, null, p_ip,
    jsonb_build_object('ended', revoked)
  );
  return revoked;
end;
$$;

CREATE FUNCTION gatepost.reported_severity(p_email gatepost.emails) RETURNS integer
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select case when p_email.provider_id is null then 0 else gatepost.email_severity(p_email.status) end;
$$;

CREATE FUNCTION gatepost.request_email_verification(p_user_id uuid, OUT outcome text, OUT wait double precision) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  account gatepost.users;
  fifth_at timestamptz;
begin
  -- The lock makes the limit hold for concurrent requests.
  select * into account from gatepost.users u where u.id = p_user_id for no key update;
  select l.created_at into fifth_at from gatepost.links l
  where l.user_id = p_user_id and l.purpose = 'verify_email' and l.created_at > clock_timestamp() - interval '1 hour'
  order by l.created_at desc
  offset 4 limit 1;
  outcome := case
    when account.email_verified_at is not null then 'verified'
    when fifth_at is not null then 'limited'
    else 'queued'
  end;
  if outcome = 'limited' then
    wait := extract(epoch from fifth_at + interval '1 hour' - clock_timestamp());
  elsif outcome = 'queued' then
    perform gatepost.queue_notification('verify-email', p_user_id, '{}', 'verify_email', interval '24 hours');
  end if;
end;
$$;

CREATE FUNCTION gatepost.request_password_reset(p_email text, p_ip inet DEFAULT NULL::inet) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  account_id uuid;
begin
  -- The lock makes the limit hold for concurrent requests.
  select u.id into account_id from gatepost.users u
  where lower(u.email) = lower(p_email) and u.disabled_at is null
  for no key update;
  if account_id is not null and gatepost.may_send_reset_link(account_id) then
    perform gatepost.queue_notification('reset-password', account_id, '{}', 'reset_password', interval '1 hour');
    perform gatepost.record_audit('anonymous', 'password.reset_requested', 'user:' || account_id, null, p_ip);
  end if;
end;
$$;

CREATE FUNCTION gatepost.request_registration(p_email text, p_locale text, p_ip inet) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  account gatepost.users;
begin
  insert into gatepost.users (email, password_hash, locale) values (p_email, '!', p_locale)
  on conflict (lower(email)) do nothing
  returning * into account;
  if account.id is not null then
    perform gatepost.record_audit('anonymous', 'user.registered', 'user:' || account.id, null, p_ip);
  else
    select * into account from gatepost.users u where lower(u.email) = lower(p_email) for no key update;
  end if;

  if account.disabled_at is not null then
    return;
  elsif account.email_verified_at is null then
    perform gatepost.request_email_verification(account.id);
  elsif gatepost.may_send_reset_link(account.id) then
    perform gatepost.queue_notification('account-exists', account.id, '{}', 'reset_password', interval '1 hour');
  end if;
end;
$$;

CREATE FUNCTION gatepost.requeue_batch(p_id uuid, p_delay interval) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION gatepost.resend_email(p_id uuid, p_actor text, p_ip inet) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  email gatepost.emails;
  new_id uuid;
begin
  select * into email from gatepost.emails e where e.id = p_id for update;
  if not found then
    raise exception using errcode = 'GP004', message = 'email_not_found';
  elsif email.status in ('queued', 'sending') then
    raise exception using errcode = 'GP014', message = 'email_still_sending',
      detail = format('status %L', email.status);
  elsif email.expires_at <= now() then
    raise exception using errcode = 'GP015', message = 'email_expired';
  elsif email.erased_at is not null then
    raise exception using errcode = 'GP061', message = 'email_erased';
  elsif email.version is null then
    raise exception using errcode = 'GP016', message = 'email_was_test';
  elsif email.secret and email.notification is null then
    raise exception using errcode = 'GP017', message = 'email_secrets_erased';
  end if;

  insert into gatepost.emails (
    template, version, locale, recipient, reply_to, variables, notification, security, secret, alone, queued_by,
    expires_at, resend_of
  )
  select
    e.template, e.version, e.locale, e.recipient, e.reply_to, e.variables, e.notification, e.security, e.secret, e.alone,
    p_actor, e.expires_at, e.id
  from gatepost.emails e
  where e.id = p_id
  returning id into new_id;
  insert into gatepost.email_attachments (email_id, position, filename, content_type, content)
  select new_id, a.position, a.filename, a.content_type, a.content
  from gatepost.email_attachments a where a.email_id = p_id;

  perform gatepost.record_audit(
    p_actor, 'email.resent', 'email:' || p_id, null, p_ip, jsonb_build_object('as', new_id)
  );
  return new_id;
end;
$$;

CREATE FUNCTION gatepost.reserve_send_time(p_transport text, p_batch_id uuid) RETURNS double precision
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  update gatepost.email_transports t
  set next_send_at = greatest(t.next_send_at, clock_timestamp()) + gatepost.send_interval(t.requests_per_second),
      -- While there is an error, this request probes whether it persists, and no other is sent meanwhile.
      paused_until = case
        when t.error_code is null then t.paused_until else clock_timestamp() + interval '30 seconds'
      end,
      probe_batch_id = case when t.error_code is not null then p_batch_id end
  where t.name = p_transport
  returning greatest(0, extract(epoch from
    t.next_send_at - gatepost.send_interval(t.requests_per_second) - clock_timestamp()
  ));
$$;

CREATE FUNCTION gatepost.reset_password(p_link_id uuid, p_new_hash text, p_ip inet, p_idle_timeout interval, OUT outcome text, OUT revoked integer) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  used record;
  link gatepost.links;
  account gatepost.users;
begin
  select * into used from gatepost.use_link(p_link_id, 'reset_password');
  outcome := used.outcome;
  link := used.link;
  if outcome <> 'ok' then
    return;
  end if;
  select * into account from gatepost.users u where u.id = link.user_id;
  if lower(account.email) <> lower(link.email) then
    outcome := 'unknown';
    return;
  end if;

  update gatepost.users u
  set password_hash = p_new_hash, password_changed_at = now(), email_verified_at = coalesce(u.email_verified_at, now())
  where u.id = account.id;
  revoked := gatepost.revoke_other_sessions(account.id, null, account.id, 'password_changed', p_idle_timeout);
  if account.email_verified_at is null then
    perform gatepost.record_audit('user:' || account.id, 'email.confirmed', 'user:' || account.id, null, p_ip);
  end if;
  perform gatepost.record_audit('user:' || account.id, 'password.reset', 'user:' || account.id, null, p_ip);
  perform gatepost.queue_notification('password-changed', account.id);
end;
$$;

CREATE FUNCTION gatepost.resume_batch(p_id uuid, p_worker uuid, p_lease interval) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  batch gatepost.email_batches;
begin
  select * into batch from gatepost.email_batches b where b.id = p_id;
  if batch.attempts = 0 then
    perform gatepost.requeue_batch(p_id, '0');
    return false;
  end if;
  if batch.key_expires_at <= clock_timestamp() or exists (
    select from gatepost.emails e where e.batch_id = p_id and e.expires_at <= clock_timestamp()
  ) then
    perform gatepost.abandon_batch(p_id, 'answer_lost');
    return false;
  end if;
  -- A worker that still holds the lease crashed or is too slow: its attempt may have been accepted.
  update gatepost.email_batches b
  set worker = p_worker, due_at = clock_timestamp() + p_lease, uncertain = b.uncertain or b.worker is not null
  where b.id = p_id;
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
  perform gatepost.set_actor(p_actor, p_reason, p_ip);
  perform from gatepost.sessions s where s.id = p_session_id for update;
  if not found then
    raise exception using errcode = 'GP001', message = 'session_not_found';
  end if;

  update gatepost.sessions s
  set ended_at = clock_timestamp(), end_reason = 'signed_out_by_admin'
  where s.id = p_session_id and s.ended_at is null
  returning s.user_id into owner;
  if p_notify then
    perform gatepost.queue_notification(
      'session-revoked', owner, jsonb_build_object('session_ids', array[p_session_id])
    );
  end if;
  return owner is not null;
end;
$$;

CREATE FUNCTION gatepost.revoke_listed_sessions(p_session_ids uuid[], p_actor text, p_reason text, p_ip inet, p_notify boolean DEFAULT false) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  account record;
  revoked integer := 0;
begin
  perform gatepost.set_actor(p_actor, p_reason, p_ip);
  -- Other commits would queue behind this one's flush to disk; the caller's last step flushes.
  perform set_config('synchronous_commit', 'off', true);

  -- Rows that another transaction has locked are skipped.
  for account in
    with locked as (
      select s.id from gatepost.sessions s
      where s.id = any (p_session_ids) and s.ended_at is null
      order by s.id
      for update skip locked
    ), skipped as (
      select s.user_id from gatepost.sessions s
      where s.id = any (p_session_ids) and s.ended_at is null and s.id not in (select locked.id from locked)
    ), ended as (
      update gatepost.sessions s
      set ended_at = clock_timestamp(), end_reason = 'signed_out_by_admin'
      from locked
      where s.id = locked.id and not (p_notify and s.user_id in (select skipped.user_id from skipped))
      returning s.id, s.user_id
    )
    select ended.user_id, array_agg(ended.id) as session_ids from ended group by ended.user_id order by ended.user_id
  loop
    revoked := revoked + cardinality(account.session_ids);
    if p_notify then
      perform gatepost.queue_notification(
        'session-revoked', account.user_id, jsonb_build_object('session_ids', account.session_ids)
      );
    end if;
  end loop;
  return revoked;
end;
$$;

CREATE FUNCTION gatepost.revoke_other_sessions(p_user_id uuid, p_except_id uuid, p_ended_by uuid, p_reason text, p_idle_timeout interval) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  revoked integer;
begin
  perform gatepost.lock_sessions(p_user_id);
  perform gatepost.expire_user_sessions(p_user_id, p_idle_timeout);

  update gatepost.sessions s
  set ended_at = clock_timestamp(), end_reason = p_reason, ended_by = p_ended_by
  where s.user_id = p_user_id and s.ended_at is null and s.id is distinct from p_except_id;

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
    raise exception using errcode = 'GP001', message = 'session_not_found';
  end if;
  perform gatepost.expire_session(p_session_id, p_idle_timeout);

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
  perform gatepost.expire_user_sessions(p_user_id, p_idle_timeout);
  perform gatepost.set_actor(p_actor, p_reason, p_ip);

  with ended as (
    update gatepost.sessions s
    set ended_at = clock_timestamp(), end_reason = 'signed_out_by_admin'
    where s.user_id = p_user_id and s.ended_at is null
    returning s.id
  )
  select array_agg(ended.id) into revoked from ended;
  if p_notify and revoked is not null then
    perform gatepost.queue_notification('session-revoked', p_user_id, jsonb_build_object('session_ids', revoked));
  end if;
  return coalesce(cardinality(revoked), 0);
end;
$$;

CREATE FUNCTION gatepost.rotate_signing_key(p_kid text, p_public_jwk jsonb, p_private_key_encrypted bytea, p_lead interval, p_overlap interval) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  update gatepost.signing_keys k
  set retired_at = least(k.retired_at, clock_timestamp() + p_lead + p_overlap)
  where k.retired_at is null or k.retired_at > clock_timestamp();

  insert into gatepost.signing_keys (kid, public_jwk, private_key_encrypted, signs_at)
  values (p_kid, p_public_jwk, p_private_key_encrypted, clock_timestamp() + p_lead);
$$;

CREATE FUNCTION gatepost.save_template_draft(p_key text, p_locale text, p_etag text, p_draft jsonb, p_diagnostics jsonb, p_action text, p_actor text, p_ip inet) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  current gatepost.email_template_locales;
begin
  perform from gatepost.email_templates t where t.key = p_key and t.deleted_at is null for update;
  if not found then
    raise exception using errcode = 'GP003', message = 'template_not_found';
  end if;
  select * into current from gatepost.email_template_locales l where l.key = p_key and l.locale = p_locale;
  if current.draft is not null and p_etag is null or p_etag <> gatepost.template_etag(current) then
    raise exception using errcode = 'GP012', message = 'draft_changed';
  end if;

  insert into gatepost.email_template_locales as l (key, locale, draft, diagnostics, draft_tag, updated_by)
  values (p_key, p_locale, p_draft, p_diagnostics, gen_random_uuid(), p_actor)
  on conflict (key, locale) do update
  set draft = excluded.draft, diagnostics = excluded.diagnostics, draft_tag = excluded.draft_tag,
      updated_at = clock_timestamp(), updated_by = excluded.updated_by;

  perform gatepost.record_audit(
    p_actor, p_action, 'template:' || p_key, null, p_ip, jsonb_build_object('locale', p_locale)
  );
end;
$$;

CREATE FUNCTION gatepost.send_interval(p_requests_per_second double precision) RETURNS interval
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select coalesce(interval '1.05 seconds' / p_requests_per_second, '0');
$$;

CREATE FUNCTION gatepost.session_end_reason(session gatepost.sessions, idle_timeout interval) RETURNS text
    LANGUAGE sql STABLE
    RETURN CASE WHEN ((session).end_reason IS NOT NULL) THEN (session).end_reason WHEN ((session).expires_at <= now()) THEN 'expired'::text WHEN (((session).last_active_at + idle_timeout) <= now()) THEN 'idle'::text ELSE NULL::text END;

CREATE FUNCTION gatepost.set_actor(p_actor text, p_reason text, p_ip inet) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform set_config('gatepost.actor', p_actor, true);
  perform set_config('gatepost.reason', coalesce(p_reason, ''), true);
  perform set_config('gatepost.ip', coalesce(host(p_ip), ''), true);
end;
$$;

CREATE FUNCTION gatepost.settle_accepted_batch(p_id uuid, p_transport text, p_email_ids uuid[], p_provider_ids text[], p_requests_per_second double precision, p_clock_offset double precision) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION gatepost.settle_rejected_batch(p_id uuid, p_worker uuid, p_fault text, p_code text, p_message text, p_delay interval, p_requests_per_second double precision) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION gatepost.settle_uncertain_batch(p_id uuid, p_worker uuid, p_code text, p_message text, p_delay interval, p_final boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION gatepost.signing_keys_changed() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  notify gatepost_signing_keys;
  return null;
end;
$$;

CREATE FUNCTION gatepost.stamp_audit_row() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  if new.id <> currval('gatepost.audit_log_id_seq') then
    raise exception using errcode = 'GP032', message = 'audit_row_id_not_generated', column = 'id';
  end if;
  new.at := clock_timestamp();
  new.written_by := pg_current_xact_id();
  return new;
end;
$$;

CREATE FUNCTION gatepost.summarize_notification(p_email gatepost.emails) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  account_id uuid := (p_email.notification ->> 'user_id')::uuid;
  summary uuid;
  queued uuid;
begin
  -- The lock waits for a worker that is just leasing the summary; then that one is closed, and the next one begins.
  select (e.notification ->> 'summary_id')::uuid into summary
  from gatepost.emails e
  where e.notification ->> 'user_id' = account_id::text and e.template = 'notification-summary'
    and e.recipient = p_email.recipient and e.resend_of is null and e.status = 'queued' and e.payload is null
  for update;
  if summary is null then
    summary := gen_random_uuid();
    queued := gatepost.queue_notification(
      'notification-summary', account_id, jsonb_build_object('summary_id', summary), p_to => p_email.recipient
    );
    update gatepost.emails e
    set send_at = next.at, due_at = next.at
    from (
      select greatest(clock_timestamp() + interval '10 minutes', max(p.send_at) + interval '1 hour') as at
      from gatepost.emails p
      where p.notification ->> 'user_id' = account_id::text and p.template = 'notification-summary'
        and p.recipient = p_email.recipient and p.resend_of is null
    ) next
    where e.id = queued;
  end if;
  insert into gatepost.summarized_notifications as s (summary_id, user_id, template, count, first_at, last_at)
  values (summary, account_id, p_email.template, 1, clock_timestamp(), clock_timestamp())
  on conflict (summary_id, template) do update set count = s.count + 1, last_at = clock_timestamp();
end;
$$;

CREATE FUNCTION gatepost.suppress_new_email() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  reason text;
begin
  select s.reason into reason from gatepost.email_suppressions s
  where s.email = lower(new.recipient) and gatepost.suppression_applies(s.reason, new.security);
  if found then
    new.status := 'suppressed';
    new.error_code := 'suppressed_' || reason;
  elsif not new.security and exists (
    select from gatepost.notification_opt_outs o
    join gatepost.users u on u.id = o.user_id
    where lower(u.email) = lower(new.recipient) and o.template = new.template
  ) then
    new.status := 'suppressed';
    new.error_code := 'opted_out';
  end if;
  return new;
end;
$$;

CREATE FUNCTION gatepost.suppression_applies(p_reason text, p_security boolean) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select not (p_security and p_reason = 'manual');
$$;

CREATE FUNCTION gatepost.suspend_api_keys(p_user_id uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  with suspended as (
    update gatepost.api_keys k set suspended_at = clock_timestamp()
    where k.owner_id = p_user_id and k.suspended_at is null and k.revoked_at is null
    returning k.id
  )
  select gatepost.audit_state('key.suspended', 'key:' || suspended.id) from suspended;
$$;

CREATE FUNCTION gatepost.take_over_api_key(p_key_id uuid, p_user_id uuid, p_actor text, p_ip inet) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  key gatepost.api_keys;
begin
  -- Disabling a user locks their row before their keys.
  perform from gatepost.users u where u.id = p_user_id for share;
  select * into key from gatepost.api_keys k where k.id = p_key_id for update;
  if not found then
    raise exception using errcode = 'GP057', message = 'api_key_not_found';
  elsif key.revoked_at is not null then
    raise exception using errcode = 'GP058', message = 'api_key_revoked';
  end if;
  update gatepost.api_keys k set owner_id = p_user_id, suspended_at = null where k.id = p_key_id;
  perform gatepost.record_audit(
    p_actor, 'key.taken_over', 'key:' || p_key_id, null, p_ip,
    jsonb_build_object('from', 'user:' || key.owner_id, 'to', 'user:' || p_user_id)
  );
end;
$$;

CREATE FUNCTION gatepost.template_contains_secrets(p_template text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select exists (select from gatepost.builtin_templates b where b.key = p_template and b.security)
    or exists (select from gatepost.email_templates t where t.key = p_template and t.contains_secrets);
$$;

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

CREATE FUNCTION gatepost.template_etag(p_locale gatepost.email_template_locales) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select coalesce(p_locale.draft_tag::text, 'v' || coalesce(p_locale.published_version, 0));
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

CREATE FUNCTION gatepost.unconfirm_changed_email() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  if new.email_verified_at is not distinct from old.email_verified_at then
    new.email_verified_at := null;
  end if;
  return new;
end;
$$;

CREATE TABLE gatepost.links (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    purpose text NOT NULL,
    user_id uuid NOT NULL,
    session_id uuid,
    email text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    voided_at timestamp with time zone,
    CONSTRAINT links_purpose_check CHECK ((purpose = ANY (ARRAY['not_me'::text, 'reset_password'::text, 'verify_email'::text])))
);

CREATE FUNCTION gatepost.use_link(p_id uuid, p_purpose text, OUT outcome text, OUT link gatepost.links) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform from gatepost.users u
  where u.id = (select l.user_id from gatepost.links l where l.id = p_id and l.purpose = p_purpose)
  for no key update;
  select * into link from gatepost.links l where l.id = p_id and l.purpose = p_purpose for update;
  outcome := case
    when link.id is null then 'unknown'
    when link.used_at is not null then 'used'
    when link.voided_at is not null and p_purpose = 'reset_password' then 'voided'
    when link.expires_at <= clock_timestamp() then 'expired'
    else 'ok'
  end;
  if outcome = 'ok' then
    update gatepost.links l set used_at = clock_timestamp() where l.id = p_id;
  end if;
end;
$$;

CREATE FUNCTION gatepost.use_not_me_link(p_link_id uuid, p_ip inet, p_idle_timeout interval, OUT outcome text, OUT revoked integer, OUT reset_link_id uuid) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  used record;
  link gatepost.links;
begin
  select * into used from gatepost.use_link(p_link_id, 'not_me');
  outcome := used.outcome;
  link := used.link;
  if outcome <> 'ok' then
    return;
  end if;
  if exists (
    select from gatepost.links r
    join gatepost.users u on u.id = r.user_id
    where r.user_id = link.user_id and r.purpose = 'reset_password'
      and r.used_at > link.created_at and r.used_at >= u.password_changed_at
  ) then
    revoked := gatepost.revoke_other_sessions(link.user_id, null, link.user_id, 'not_me', p_idle_timeout);
    perform gatepost.record_audit(
      'user:' || link.user_id, 'session.reported', 'session:' || link.session_id, null, p_ip,
      jsonb_build_object('ended', revoked)
    );
  else
    revoked := gatepost.report_session(link.user_id, link.session_id, p_ip);
  end if;
  if link.voided_at is null and link.created_at > clock_timestamp() - interval '24 hours' then
    reset_link_id := gatepost.create_reset_link(link.user_id);
  end if;
end;
$$;

CREATE FUNCTION gatepost.validate_email_arguments(p_to text, p_reply_to text, p_variables jsonb, p_attachments jsonb, p_send_at timestamp with time zone, p_expires_at timestamp with time zone, p_idempotency_key text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  -- one address without a display name; RFC 5321, 4.5.3.1.3: 254 characters
  address constant text := '^[!#-''*-+\-./0-9=?A-Z^-~]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$';
begin
  if p_to is null or p_to !~ address or char_length(p_to) > 254 then
    raise exception using errcode = 'GP021', message = 'invalid_email_address', column = 'to',
      detail = 'p_to';
  elsif p_reply_to !~ address or char_length(p_reply_to) > 254 then
    raise exception using errcode = 'GP021', message = 'invalid_email_address', column = 'reply_to',
      detail = 'p_reply_to';
  elsif p_variables is null or jsonb_typeof(p_variables) <> 'object' then
    raise exception using errcode = 'GP022', message = 'invalid_variables', column = 'variables',
      detail = 'p_variables';
  elsif p_attachments is null or jsonb_typeof(p_attachments) <> 'array' then
    raise exception using errcode = 'GP023', message = 'invalid_attachments', column = 'attachments',
      detail = 'p_attachments';
  elsif char_length(p_idempotency_key) not between 1 and 300 then
    raise exception using errcode = 'GP024', message = 'invalid_idempotency_key', column = 'idempotency_key',
      detail = 'p_idempotency_key';
  elsif p_expires_at <= greatest(p_send_at, now()) then
    raise exception using errcode = 'GP025', message = 'expires_before_sending', column = 'expires_at',
      detail = 'p_expires_at';
  end if;
end;
$_$;

CREATE FUNCTION gatepost.void_password_links() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  update gatepost.links l set voided_at = clock_timestamp()
  where l.user_id = new.id and l.purpose in ('reset_password', 'not_me') and l.used_at is null and l.voided_at is null;
  return null;
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
    owner_id uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    suspended_at timestamp with time zone,
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
    mac bytea NOT NULL,
    key_id text NOT NULL,
    drops_to bigint,
    horizon xid8 NOT NULL,
    cluster bigint NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    CONSTRAINT audit_seals_hash_check CHECK ((octet_length(hash) = 32)),
    CONSTRAINT audit_seals_mac_check CHECK ((octet_length(mac) = 32)),
    CONSTRAINT audit_seals_position_check CHECK (("position" > 0))
);

CREATE TABLE gatepost.builtin_templates (
    key text NOT NULL,
    locale text NOT NULL,
    security boolean NOT NULL
);

CREATE TABLE gatepost.email_attachments (
    email_id uuid NOT NULL,
    "position" smallint NOT NULL,
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
    contains_secrets boolean DEFAULT false NOT NULL,
    samples jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT email_templates_key_check CHECK ((key ~ '^[a-z][a-z0-9-]{0,62}$'::text)),
    CONSTRAINT email_templates_samples_check CHECK ((jsonb_typeof(samples) = 'object'::text))
);

CREATE TABLE gatepost.email_transports (
    name text NOT NULL,
    requests_per_second double precision,
    next_send_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    paused_until timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    error_code text,
    error_message text,
    error_since timestamp with time zone,
    probe_batch_id uuid,
    clock_offset double precision,
    CONSTRAINT email_transports_check CHECK ((((error_code IS NULL) = (error_message IS NULL)) AND ((error_code IS NULL) = (error_since IS NULL)))),
    CONSTRAINT email_transports_requests_per_second_check CHECK ((requests_per_second > (0)::double precision))
);

CREATE TABLE gatepost.notification_opt_outs (
    user_id uuid NOT NULL,
    template text NOT NULL
);

CREATE UNLOGGED TABLE gatepost.rate_limits (
    key bytea NOT NULL,
    empty_at timestamp with time zone NOT NULL,
    CONSTRAINT rate_limits_key_check CHECK ((octet_length(key) = 16))
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.05');

CREATE TABLE gatepost.refresh_tokens (
    session_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    previous_hash bytea,
    successor_encrypted bytea,
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
    private_key_encrypted bytea NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    signs_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    retired_at timestamp with time zone
);

CREATE TABLE gatepost.summarized_notifications (
    summary_id uuid NOT NULL,
    user_id uuid NOT NULL,
    template text NOT NULL,
    count integer NOT NULL,
    first_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    CONSTRAINT summarized_notifications_count_check CHECK ((count > 0))
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
    ADD CONSTRAINT email_attachments_pkey PRIMARY KEY (email_id, "position");

ALTER TABLE ONLY gatepost.email_batches
    ADD CONSTRAINT email_batches_pkey PRIMARY KEY (id);

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

ALTER TABLE ONLY gatepost.notification_opt_outs
    ADD CONSTRAINT notification_opt_outs_pkey PRIMARY KEY (user_id, template);

ALTER TABLE ONLY gatepost.rate_limits
    ADD CONSTRAINT rate_limits_pkey PRIMARY KEY (key);

ALTER TABLE ONLY gatepost.refresh_tokens
    ADD CONSTRAINT refresh_tokens_pkey PRIMARY KEY (session_id);

ALTER TABLE ONLY gatepost.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY gatepost.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gatepost.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (kid);

ALTER TABLE ONLY gatepost.summarized_notifications
    ADD CONSTRAINT summarized_notifications_pkey PRIMARY KEY (summary_id, template);

ALTER TABLE ONLY gatepost.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gatepost.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gatepost.webhooks
    ADD CONSTRAINT webhooks_pkey PRIMARY KEY (url);

CREATE INDEX api_keys_owner_idx ON gatepost.api_keys USING btree (owner_id);

CREATE INDEX audit_log_action_idx ON gatepost.audit_log USING btree (action, id);

CREATE INDEX audit_log_actor_idx ON gatepost.audit_log USING btree (actor, id);

CREATE INDEX audit_log_target_idx ON gatepost.audit_log USING btree (target, id);

CREATE INDEX audit_log_unsealed_idx ON gatepost.audit_log USING btree (written_by);

CREATE INDEX email_batches_due_idx ON gatepost.email_batches USING btree (due_at);

CREATE INDEX email_batches_worker_idx ON gatepost.email_batches USING btree (worker) WHERE (worker IS NOT NULL);

CREATE INDEX email_events_email_idx ON gatepost.email_events USING btree (email_id, at, id);

CREATE INDEX email_events_unmatched_idx ON gatepost.email_events USING btree (provider_id) WHERE (email_id IS NULL);

CREATE INDEX email_suppressions_created_idx ON gatepost.email_suppressions USING btree (created_at, id);

CREATE INDEX emails_batch_idx ON gatepost.emails USING btree (batch_id) WHERE (batch_id IS NOT NULL);

CREATE INDEX emails_created_idx ON gatepost.emails USING btree (created_at, id);

CREATE INDEX emails_due_idx ON gatepost.emails USING btree (security DESC, due_at, id) WHERE (status = 'queued'::text);

CREATE INDEX emails_expiring_idx ON gatepost.emails USING btree (expires_at) WHERE ((status = 'queued'::text) AND (expires_at IS NOT NULL));

CREATE UNIQUE INDEX emails_idempotency_idx ON gatepost.emails USING btree (queued_by, idempotency_key) WHERE (idempotency_key IS NOT NULL);

CREATE INDEX emails_notification_session_idx ON gatepost.emails USING btree (((notification ->> 'session_id'::text))) WHERE (notification IS NOT NULL);

CREATE INDEX emails_notification_user_idx ON gatepost.emails USING btree (((notification ->> 'user_id'::text)), template, created_at) WHERE (notification IS NOT NULL);

CREATE INDEX emails_provider_idx ON gatepost.emails USING btree (provider_id) WHERE (provider_id IS NOT NULL);

CREATE INDEX emails_recipient_idx ON gatepost.emails USING btree (lower(recipient) COLLATE "C", created_at, id);

CREATE INDEX emails_status_idx ON gatepost.emails USING btree (status, created_at, id);

CREATE INDEX emails_template_idx ON gatepost.emails USING btree (template, created_at, id);

CREATE INDEX links_user_idx ON gatepost.links USING btree (user_id, purpose, created_at);

CREATE INDEX refresh_tokens_successor_idx ON gatepost.refresh_tokens USING btree (rotated_at) WHERE (successor_encrypted IS NOT NULL);

CREATE INDEX sessions_active_created_idx ON gatepost.sessions USING btree (created_at, id) WHERE (ended_at IS NULL);

CREATE INDEX sessions_active_idx ON gatepost.sessions USING btree (user_id) WHERE (ended_at IS NULL);

CREATE INDEX sessions_created_idx ON gatepost.sessions USING btree (created_at, id);

CREATE INDEX sessions_ended_at_idx ON gatepost.sessions USING btree (ended_at) WHERE (ended_at IS NOT NULL);

CREATE INDEX sessions_ended_idx ON gatepost.sessions USING btree (user_id, ended_at) WHERE (ended_at IS NOT NULL);

CREATE INDEX sessions_expired_created_idx ON gatepost.sessions USING btree (created_at, id) WHERE (end_reason = ANY (ARRAY['idle'::text, 'expired'::text]));

CREATE INDEX sessions_ip_idx ON gatepost.sessions USING btree (ip, created_at, id);

CREATE INDEX sessions_last_active_on_idx ON gatepost.sessions USING btree (last_active_on);

CREATE INDEX sessions_revoked_created_idx ON gatepost.sessions USING btree (created_at, id) WHERE ((ended_at IS NOT NULL) AND (end_reason <> ALL (ARRAY['idle'::text, 'expired'::text])));

CREATE INDEX sessions_user_created_idx ON gatepost.sessions USING btree (user_id, created_at, id);

CREATE INDEX summarized_notifications_user_idx ON gatepost.summarized_notifications USING btree (user_id);

CREATE UNIQUE INDEX users_email_key ON gatepost.users USING btree (lower(email));

CREATE INDEX users_email_prefix_idx ON gatepost.users USING btree (lower(email) COLLATE "C", id);

CREATE INDEX users_name_prefix_idx ON gatepost.users USING btree (lower(name) COLLATE "C", id);

CREATE INDEX webhook_deliveries_due_idx ON gatepost.webhook_deliveries USING btree (due_at);

CREATE INDEX webhook_deliveries_session_idx ON gatepost.webhook_deliveries USING btree (session_id);

CREATE INDEX webhook_deliveries_worker_idx ON gatepost.webhook_deliveries USING btree (worker) WHERE (worker IS NOT NULL);

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON gatepost.audit_drops FOR EACH ROW EXECUTE FUNCTION gatepost.reject_audit_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON gatepost.audit_log FOR EACH ROW EXECUTE FUNCTION gatepost.reject_audit_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON gatepost.audit_seals FOR EACH ROW EXECUTE FUNCTION gatepost.reject_audit_change();

CREATE TRIGGER apply_state AFTER UPDATE OF role, disabled_at ON gatepost.users FOR EACH ROW WHEN (((old.disabled_at IS DISTINCT FROM new.disabled_at) OR (old.role IS DISTINCT FROM new.role))) EXECUTE FUNCTION gatepost.apply_user_state();

CREATE TRIGGER audit_ended AFTER UPDATE ON gatepost.sessions FOR EACH ROW WHEN (((old.ended_at IS NULL) AND (new.ended_at IS NOT NULL))) EXECUTE FUNCTION gatepost.audit_session_ended();

CREATE TRIGGER audit_opened AFTER INSERT ON gatepost.sessions FOR EACH ROW EXECUTE FUNCTION gatepost.audit_session_opened();

CREATE TRIGGER check_owner_on_insert BEFORE INSERT ON gatepost.api_keys FOR EACH ROW WHEN ((new.owner_id IS NOT NULL)) EXECUTE FUNCTION gatepost.check_api_key_owner();

CREATE TRIGGER check_owner_on_update BEFORE UPDATE OF owner_id ON gatepost.api_keys FOR EACH ROW WHEN ((new.owner_id IS NOT NULL)) EXECUTE FUNCTION gatepost.check_api_key_owner();

CREATE TRIGGER erase BEFORE UPDATE ON gatepost.emails FOR EACH ROW WHEN (((new.erased_at IS NOT NULL) AND (new.status <> 'sending'::text))) EXECUTE FUNCTION gatepost.erase_email();

CREATE TRIGGER erase AFTER DELETE ON gatepost.users FOR EACH ROW EXECUTE FUNCTION gatepost.erase_user();

CREATE TRIGGER erase_inserted BEFORE INSERT ON gatepost.email_events FOR EACH ROW WHEN (((new.email_id IS NOT NULL) AND (new.detail ? 'message'::text))) EXECUTE FUNCTION gatepost.erase_email_event();

CREATE TRIGGER erase_matched BEFORE UPDATE OF email_id ON gatepost.email_events FOR EACH ROW WHEN (((new.email_id IS NOT NULL) AND (new.detail ? 'message'::text))) EXECUTE FUNCTION gatepost.erase_email_event();

CREATE TRIGGER forget_summaries AFTER DELETE ON gatepost.users FOR EACH ROW EXECUTE FUNCTION gatepost.forget_summaries();

CREATE TRIGGER immutable BEFORE DELETE OR UPDATE ON gatepost.email_template_versions FOR EACH ROW EXECUTE FUNCTION gatepost.reject_version_change();

CREATE TRIGGER keep_last_admin_on_delete AFTER DELETE ON gatepost.users FOR EACH ROW WHEN (((old.role = 'admin'::text) AND (old.disabled_at IS NULL))) EXECUTE FUNCTION gatepost.keep_last_admin();

CREATE TRIGGER keep_last_admin_on_update AFTER UPDATE OF role, disabled_at ON gatepost.users FOR EACH ROW WHEN (((old.role = 'admin'::text) AND (old.disabled_at IS NULL) AND ((new.role <> 'admin'::text) OR (new.disabled_at IS NOT NULL)))) EXECUTE FUNCTION gatepost.keep_last_admin();

CREATE CONSTRAINT TRIGGER limit_notifications AFTER INSERT ON gatepost.emails DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((new.notification IS NOT NULL) AND (new.resend_of IS NULL) AND (new.status = 'queued'::text) AND (new.template <> 'notification-summary'::text) AND (COALESCE((new.notification ->> 'purpose'::text), ''::text) <> ALL (ARRAY['verify_email'::text, 'reset_password'::text])))) EXECUTE FUNCTION gatepost.limit_notifications();

CREATE TRIGGER lock_admins BEFORE DELETE OR UPDATE OF role, disabled_at ON gatepost.users FOR EACH STATEMENT EXECUTE FUNCTION gatepost.lock_admins();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON gatepost.audit_drops FOR EACH STATEMENT EXECUTE FUNCTION gatepost.reject_audit_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON gatepost.audit_log FOR EACH STATEMENT EXECUTE FUNCTION gatepost.reject_audit_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON gatepost.audit_seals FOR EACH STATEMENT EXECUTE FUNCTION gatepost.reject_audit_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON gatepost.email_template_versions FOR EACH STATEMENT EXECUTE FUNCTION gatepost.reject_version_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON gatepost.users FOR EACH STATEMENT EXECUTE FUNCTION gatepost.keep_last_admin();

CREATE TRIGGER notify_admin_added AFTER UPDATE OF role ON gatepost.users FOR EACH ROW WHEN (((new.role = 'admin'::text) AND (old.role <> 'admin'::text))) EXECUTE FUNCTION gatepost.notify_admin_added();

CREATE TRIGGER notify_admin_inserted AFTER INSERT ON gatepost.users FOR EACH ROW WHEN ((new.role = 'admin'::text)) EXECUTE FUNCTION gatepost.notify_admin_added();

CREATE TRIGGER notify_created AFTER INSERT ON gatepost.api_keys FOR EACH ROW EXECUTE FUNCTION gatepost.notify_api_key_created();

CREATE TRIGGER notify_ended AFTER UPDATE OF ended_at ON gatepost.sessions FOR EACH ROW WHEN (((old.ended_at IS NULL) AND (new.ended_at IS NOT NULL))) EXECUTE FUNCTION gatepost.notify_session_ended();

CREATE TRIGGER record_suppression_on_insert AFTER INSERT ON gatepost.emails FOR EACH ROW WHEN ((new.status = 'suppressed'::text)) EXECUTE FUNCTION gatepost.record_suppression();

CREATE TRIGGER record_suppression_on_update AFTER UPDATE OF status ON gatepost.emails FOR EACH ROW WHEN (((new.status = 'suppressed'::text) AND (old.status <> 'suppressed'::text))) EXECUTE FUNCTION gatepost.record_suppression();

CREATE TRIGGER reject_disabled BEFORE INSERT ON gatepost.sessions FOR EACH ROW EXECUTE FUNCTION gatepost.reject_disabled_user();

CREATE TRIGGER report_changed_email AFTER UPDATE OF email ON gatepost.users FOR EACH ROW WHEN ((lower(new.email) <> lower(old.email))) EXECUTE FUNCTION gatepost.report_changed_email();

CREATE TRIGGER signing_keys_changed AFTER INSERT OR DELETE OR UPDATE ON gatepost.signing_keys FOR EACH STATEMENT EXECUTE FUNCTION gatepost.signing_keys_changed();

CREATE TRIGGER stamp_row BEFORE INSERT ON gatepost.audit_log FOR EACH ROW EXECUTE FUNCTION gatepost.stamp_audit_row();

CREATE TRIGGER suppress_new BEFORE INSERT ON gatepost.emails FOR EACH ROW EXECUTE FUNCTION gatepost.suppress_new_email();

CREATE TRIGGER unconfirm_changed_email BEFORE UPDATE OF email ON gatepost.users FOR EACH ROW WHEN ((lower(new.email) <> lower(old.email))) EXECUTE FUNCTION gatepost.unconfirm_changed_email();

CREATE TRIGGER void_password_links AFTER UPDATE ON gatepost.users FOR EACH ROW WHEN (((old.password_changed_at IS DISTINCT FROM new.password_changed_at) OR ((old.disabled_at IS NULL) AND (new.disabled_at IS NOT NULL)))) EXECUTE FUNCTION gatepost.void_password_links();

CREATE CONSTRAINT TRIGGER wake_workers AFTER INSERT ON gatepost.emails DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((new.status = 'queued'::text) AND (new.send_at IS NULL))) EXECUTE FUNCTION gatepost.wake_mail_workers();

ALTER TABLE ONLY gatepost.email_attachments
    ADD CONSTRAINT email_attachments_email_id_fkey FOREIGN KEY (email_id) REFERENCES gatepost.emails(id) ON DELETE CASCADE;

ALTER TABLE ONLY gatepost.email_batches
    ADD CONSTRAINT email_batches_transport_fkey FOREIGN KEY (transport) REFERENCES gatepost.email_transports(name);

ALTER TABLE ONLY gatepost.email_events
    ADD CONSTRAINT email_events_email_id_fkey FOREIGN KEY (email_id) REFERENCES gatepost.emails(id) ON DELETE CASCADE;

ALTER TABLE ONLY gatepost.email_suppressions
    ADD CONSTRAINT email_suppressions_email_id_fkey FOREIGN KEY (email_id) REFERENCES gatepost.emails(id) ON DELETE SET NULL;

ALTER TABLE ONLY gatepost.email_template_locales
    ADD CONSTRAINT email_template_locales_key_fkey FOREIGN KEY (key) REFERENCES gatepost.email_templates(key);

ALTER TABLE ONLY gatepost.email_template_versions
    ADD CONSTRAINT email_template_versions_key_locale_fkey FOREIGN KEY (key, locale) REFERENCES gatepost.email_template_locales(key, locale);

ALTER TABLE ONLY gatepost.emails
    ADD CONSTRAINT emails_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES gatepost.email_batches(id) ON DELETE SET NULL;

ALTER TABLE ONLY gatepost.emails
    ADD CONSTRAINT emails_resend_of_fkey FOREIGN KEY (resend_of) REFERENCES gatepost.emails(id);

ALTER TABLE ONLY gatepost.links
    ADD CONSTRAINT links_session_id_fkey FOREIGN KEY (session_id) REFERENCES gatepost.sessions(id) ON DELETE CASCADE;

ALTER TABLE ONLY gatepost.links
    ADD CONSTRAINT links_user_id_fkey FOREIGN KEY (user_id) REFERENCES gatepost.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY gatepost.notification_opt_outs
    ADD CONSTRAINT notification_opt_outs_user_id_fkey FOREIGN KEY (user_id) REFERENCES gatepost.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY gatepost.refresh_tokens
    ADD CONSTRAINT refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES gatepost.sessions(id) ON DELETE CASCADE;

ALTER TABLE ONLY gatepost.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_session_id_fkey FOREIGN KEY (session_id) REFERENCES gatepost.sessions(id) ON DELETE CASCADE;

ALTER TABLE gatepost.api_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.audit_drops ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.audit_log ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.audit_seals ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.builtin_templates ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.email_attachments ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.email_batches ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.email_events ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.email_suppressions ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.email_template_locales ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.email_template_versions ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.email_templates ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.email_transports ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.emails ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.links ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.notification_opt_outs ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.rate_limits ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.refresh_tokens ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.schema_migrations ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.sessions ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.signing_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.summarized_notifications ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.users ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.webhook_deliveries ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.webhooks ENABLE ROW LEVEL SECURITY;

REVOKE ALL ON FUNCTION gatepost.abandon_batch(p_id uuid, p_code text, p_message text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.add_email_attachments(p_email_id uuid, p_attachments jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.apply_email_event(p_event_id bigint, p_email_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.apply_user_state() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.audit_session_ended() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.audit_session_opened() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.audit_state(p_action text, p_target text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.cancel_email(p_id uuid, p_actor text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.change_password(p_user_id uuid, p_session_id uuid, p_old_hash text, p_new_hash text, p_ip inet, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.check_api_key_owner() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.clear_attempts(p_keys bytea[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.confirm_email(p_link_id uuid, p_session_id uuid, p_ip inet, p_idle_timeout interval, OUT outcome text, OUT revoked integer, OUT reset_link_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.count_attempt(p_keys bytea[], p_amounts integer[], p_seconds integer[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.create_batch(p_worker uuid, p_lease interval, p_transport text, p_max_emails integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.create_reset_link(p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.defer_emails(p_email_ids uuid[], p_fault text, p_code text, p_message text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.defer_webhook_delivery(p_id uuid, p_worker uuid, p_delay interval, p_max_age interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.delete_empty_rate_limits(p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.delete_template(p_key text, p_actor text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.delete_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.device_network(p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.disable_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.email_severity(p_status text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.enable_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.end_sessions_of(p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.erase_email() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.erase_email_event() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.erase_email_secrets(p_email_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.erase_user() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.expire_emails(p_batch_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.expire_session(p_session_id uuid, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.expire_user_sessions(p_user_id uuid, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.fail_emails(p_batch_id uuid, p_worker uuid, p_email_ids uuid[], p_messages text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.find_queued_email(p_actor text, p_key text, p_hash bytea) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.find_template_version(p_template text, p_locale text, OUT version integer, OUT locale text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.finish_emails(p_email_ids uuid[], p_status text, p_code text, p_message text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.forget_summaries() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.freeze_batch(p_id uuid, p_worker uuid, p_sender text, p_key_lifetime interval, p_email_ids uuid[], p_subjects text[], p_payloads text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.grant_application_role(p_role name) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.keep_last_admin() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.lease_batch(p_worker uuid, p_lease interval, p_transports text[], p_max_emails integer[], OUT batch_id uuid, OUT transport text, OUT pause double precision) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.lease_webhook_delivery(p_worker uuid, p_lease interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.limit_notifications() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.lock_admins() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.lock_out_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.lock_sessions(p_user_id uuid, p_other_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.mark_template_secrets(p_key text, p_contains_secrets boolean, p_actor text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.match_email_events(p_provider_ids text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.may_send_reset_link(p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.notify_admin_added() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.notify_admins(p_template text, p_about jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.notify_api_key_created() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.notify_new_device(p_session gatepost.sessions, p_known boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.notify_session_ended() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.open_session(p_session_id uuid, p_user_id uuid, p_token_hash bytea, p_name text, p_device_kind text, p_browser text, p_os text, p_ip inet, p_lifetime interval, p_idle_timeout interval, p_max_sessions integer, p_replaced_id uuid, p_known_device boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.publish_template(p_key text, p_locale text, p_tag uuid, p_prepared jsonb, p_actor text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.queue_email(p_template text, p_to text, p_variables jsonb, p_locale text, p_reply_to text, p_attachments jsonb, p_send_at timestamp with time zone, p_expires_at timestamp with time zone, p_idempotency_key text, p_actor text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.queue_notification(p_template text, p_user_id uuid, p_about jsonb, p_purpose text, p_lifetime interval, p_to text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.record_audit(p_actor text, p_action text, p_target text, p_reason text, p_ip inet, p_detail jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.record_email_event(p_email_ids uuid[], p_type text, p_detail jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.record_provider_event(p_event_id text, p_provider_id text, p_email_id uuid, p_at timestamp with time zone, p_type text, p_detail jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.record_suppression() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.record_transport_error(p_batch gatepost.email_batches, p_fault text, p_code text, p_message text, p_delay interval, p_requests_per_second double precision) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.refresh_session(p_session_id uuid, p_token_hash bytea, p_successor_hash bytea, p_successor_encrypted bytea, p_ip inet, p_grace interval, p_idle_timeout interval, OUT outcome text, OUT successor_encrypted bytea, OUT session gatepost.sessions) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.register_user(p_email text, p_password_hash text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.reject_audit_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.reject_disabled_user() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.reject_version_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.release_batch(p_id uuid, p_worker uuid, p_delay interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.report_changed_email() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.report_session(p_user_id uuid, p_session_id uuid, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.reported_severity(p_email gatepost.emails) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.request_email_verification(p_user_id uuid, OUT outcome text, OUT wait double precision) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.request_password_reset(p_email text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.request_registration(p_email text, p_locale text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.requeue_batch(p_id uuid, p_delay interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.resend_email(p_id uuid, p_actor text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.reserve_send_time(p_transport text, p_batch_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.reset_password(p_link_id uuid, p_new_hash text, p_ip inet, p_idle_timeout interval, OUT outcome text, OUT revoked integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.resume_batch(p_id uuid, p_worker uuid, p_lease interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.revoke_any_session(p_session_id uuid, p_actor text, p_reason text, p_ip inet, p_notify boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.revoke_listed_sessions(p_session_ids uuid[], p_actor text, p_reason text, p_ip inet, p_notify boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.revoke_other_sessions(p_user_id uuid, p_except_id uuid, p_ended_by uuid, p_reason text, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.revoke_session(p_user_id uuid, p_session_id uuid, p_ended_by uuid, p_reason text, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.revoke_user_sessions(p_user_id uuid, p_actor text, p_reason text, p_ip inet, p_idle_timeout interval, p_notify boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.rotate_signing_key(p_kid text, p_public_jwk jsonb, p_private_key_encrypted bytea, p_lead interval, p_overlap interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.save_template_draft(p_key text, p_locale text, p_etag text, p_draft jsonb, p_diagnostics jsonb, p_action text, p_actor text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.send_interval(p_requests_per_second double precision) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.session_end_reason(session gatepost.sessions, idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.set_actor(p_actor text, p_reason text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.settle_accepted_batch(p_id uuid, p_transport text, p_email_ids uuid[], p_provider_ids text[], p_requests_per_second double precision, p_clock_offset double precision) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.settle_rejected_batch(p_id uuid, p_worker uuid, p_fault text, p_code text, p_message text, p_delay interval, p_requests_per_second double precision) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.settle_uncertain_batch(p_id uuid, p_worker uuid, p_code text, p_message text, p_delay interval, p_final boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.signing_keys_changed() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.stamp_audit_row() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.summarize_notification(p_email gatepost.emails) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.suppress_new_email() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.suppression_applies(p_reason text, p_security boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.suspend_api_keys(p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.take_over_api_key(p_key_id uuid, p_user_id uuid, p_actor text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.template_contains_secrets(p_template text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.template_etag(p_locale gatepost.email_template_locales) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.touch_session(p_session_id uuid, p_ip inet, p_interval interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.unconfirm_changed_email() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.use_link(p_id uuid, p_purpose text, OUT outcome text, OUT link gatepost.links) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.use_not_me_link(p_link_id uuid, p_ip inet, p_idle_timeout interval, OUT outcome text, OUT revoked integer, OUT reset_link_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.validate_email_arguments(p_to text, p_reply_to text, p_variables jsonb, p_attachments jsonb, p_send_at timestamp with time zone, p_expires_at timestamp with time zone, p_idempotency_key text) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.void_password_links() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.wake_mail_workers() FROM PUBLIC;
