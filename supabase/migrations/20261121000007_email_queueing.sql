-- Queueing: into the outbox in the caller's own transaction, and out of it again.

-- Says which words of a template count in a language: that one's, its base language's, else the English ones.
create function gatepost.find_template_words(p_template text, p_locale text, out version integer, out locale text)
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select coalesce(l.published_version, 0), wanted.locale
  from unnest(array[p_locale, split_part(p_locale, '-', 1), 'en']) with ordinality wanted (locale, place)
  left join gatepost.email_template_locales l
    on l.key = p_template and l.locale = wanted.locale and l.published_version is not null
  left join gatepost.builtin_templates b on b.key = p_template and b.locale = wanted.locale
  where l.key is not null or b.key is not null
  order by wanted.place
  limit 1;
$$;


-- Queues a message in the caller's transaction and returns its id; with an idempotency key the same message once.
-- Attachments are [{filename, content_type, content: base64}]. GP404: no such template, GP409: the key stands for another
-- message, GP422: nonsense. Whoever may call it need not see the tables. It runs with its owner's rights, so this and all
-- that it brings about look for types in pg_temp last: there a caller could put a domain `text` whose check is its own.
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


-- Returns the message that a key stands for, null where it stands for none. GP409: it is another one.
create function gatepost.find_queued_email(p_actor text, p_key text, p_hash bytea) returns uuid
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
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


-- Adds files to a message. GP422 where one is not what it should be.
create function gatepost.attach_files(p_email_id uuid, p_files jsonb) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
begin
  insert into gatepost.email_attachments (email_id, place, filename, content_type, content)
  select p_email_id, a.place, a.file ->> 'filename', a.file ->> 'content_type', decode(a.file ->> 'content', 'base64')
  from jsonb_array_elements(p_files) with ordinality a (file, place);
exception
  when not_null_violation or invalid_parameter_value then
    raise exception 'p_attachments is no array of {filename, content_type, content in base64}' using errcode = 'GP422';
end;
$$;


-- GP422 where a message could never be sent as it is asked for.
create function gatepost.demand_email(
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
$$;


-- Takes a message back that is not on its way. GP404: there is none, GP409: it may have gone out already.
create function gatepost.cancel_email(p_id uuid, p_actor text, p_ip inet) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
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


-- Queues a message like one that has come to its end, and returns the new one's id. GP404: there is none, GP409: it is
-- still on its way, its time is over, it was a test, or it was security mail whose secrets are erased.
create function gatepost.resend_email(p_id uuid, p_actor text, p_ip inet) returns uuid
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
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


revoke execute on all functions in schema gatepost from public;
