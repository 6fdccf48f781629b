-- Queueing: adding emails to the outbox in the caller's own transaction, canceling and resending them.

-- Returns the version and the locale of the content to send: in this language, else in its base language, else in
-- English. Version 0 is the built-in template; both are null if the template has no content in any of them.
create function gatepost.find_template_version(p_template text, p_locale text, out version integer, out locale text)
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select coalesce(l.published_version, 0), wanted.locale
  from unnest(array[p_locale, split_part(p_locale, '-', 1), 'en']) with ordinality wanted (locale, position)
  left join gatepost.email_template_locales l
    on l.key = p_template and l.locale = wanted.locale and l.published_version is not null
  left join gatepost.builtin_templates b on b.key = p_template and b.locale = wanted.locale
  where l.key is not null or b.key is not null
  order by wanted.position
  limit 1;
$$;


-- Queues an email in the caller's transaction and returns its id. The same idempotency key queues the same email once.
-- p_attachments is [{filename, content_type, content}] with Base64-encoded content. Raises GP005
-- template_not_available, GP011 idempotency_key_reused, and what validate_email_arguments() and add_email_attachments()
-- raise.
--
-- Security definer: the caller needs EXECUTE only and no access to the tables. Therefore this function and everything
-- it calls search pg_temp last: a caller could create a domain named `text` there whose check runs code of its own.
create function gatepost.queue_email(
  p_template text,
  p_to text,
  p_variables jsonb default '{}',
  p_locale text default 'en',
  p_reply_to text default null,
  p_attachments jsonb default '[]',
  p_send_at timestamptz default null,
  p_expires_at timestamptz default null,
  p_idempotency_key text default null,
  p_actor text default 'application'
) returns uuid
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
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


-- Returns the email that was queued with this idempotency key, or null.
-- Raises GP011 idempotency_key_reused if that email was queued with other arguments.
create function gatepost.find_queued_email(p_actor text, p_key text, p_hash bytea) returns uuid
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
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


-- Adds attachments to an email. Raises GP023 invalid_attachments.
create function gatepost.add_email_attachments(p_email_id uuid, p_attachments jsonb) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
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


-- Checks the arguments of queue_email(). The error's column is the argument without its prefix. Raises
-- GP021 invalid_email_address, GP022 invalid_variables, GP023 invalid_attachments, GP024 invalid_idempotency_key, or
-- GP025 expires_before_sending.
create function gatepost.validate_email_arguments(
  p_to text,
  p_reply_to text,
  p_variables jsonb,
  p_attachments jsonb,
  p_send_at timestamptz,
  p_expires_at timestamptz,
  p_idempotency_key text
) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
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
$$;


-- Cancels an email that is still queued. Raises GP004 email_not_found, or GP013 email_not_cancelable if it is being
-- sent or has reached its final status.
create function gatepost.cancel_email(p_id uuid, p_actor text, p_ip inet) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
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


-- Queues a copy of an email and returns the new id. Raises GP004 email_not_found, GP014 email_still_sending, GP015
-- email_expired, GP016 email_was_test, GP017 email_secrets_erased (an email with secrets that an application queued), or
-- GP061 email_erased (the recipient's account was deleted).
create function gatepost.resend_email(p_id uuid, p_actor text, p_ip inet) returns uuid
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
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


revoke execute on all functions in schema gatepost from public;
