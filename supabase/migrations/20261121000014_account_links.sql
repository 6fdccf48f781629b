-- Registering, and everything that gives an account a new password: the change in a session, and the links in emails.
-- Each verb locks the user's row first, then the user's advisory lock, then sessions and links.

-- A new password or disabling voids the user's links that could lead to another new password. A hash of the same
-- password under newer parameters does not set password_changed_at, and voids nothing.
create function gatepost.void_password_links() returns trigger
language plpgsql set search_path = ''
as $$
begin
  update gatepost.links l set voided_at = clock_timestamp()
  where l.user_id = new.id and l.purpose in ('reset_password', 'not_me') and l.used_at is null and l.voided_at is null;
  return null;
end;
$$;

create trigger void_password_links after update on gatepost.users
  for each row when (
    old.password_changed_at is distinct from new.password_changed_at
    or old.disabled_at is null and new.disabled_at is not null
  )
  execute function gatepost.void_password_links();


-- Creates a user, whose email address is not confirmed yet, and queues the email that confirms it. Returns no row if
-- the email address has an account.
create function gatepost.register_user(p_email text, p_password_hash text, p_ip inet) returns setof gatepost.users
language plpgsql volatile set search_path = ''
as $$
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


-- Registers an email address without telling the caller whether it has an account: that only its owner learns, by email.
-- A new address gets an account without a password and a link to confirm it; an address that is not confirmed yet gets
-- the link again; a confirmed one gets an email about its account, with a link to set a new password. Each of them at
-- most five times an hour.
create function gatepost.request_registration(p_email text, p_locale text, p_ip inet) returns void
language plpgsql volatile set search_path = ''
as $$
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


-- Creates a link to set a new password within an hour that is handed out instead of being sent.
create function gatepost.create_reset_link(p_user_id uuid) returns uuid
language sql volatile set search_path = ''
as $$
  insert into gatepost.links (purpose, user_id, email, expires_at)
  select 'reset_password', u.id, u.email, clock_timestamp() + interval '1 hour'
  from gatepost.users u
  where u.id = p_user_id and u.disabled_at is null
  returning id;
$$;


-- Sets a new password in a session (null: by the operator), ends all other sessions of the user and returns how many.
-- Raises GP045 password_not_current if p_old_hash is not the current one.
create function gatepost.change_password(
  p_user_id uuid,
  p_session_id uuid,
  p_old_hash text,
  p_new_hash text,
  p_ip inet,
  p_idle_timeout interval
) returns integer
language plpgsql volatile set search_path = ''
as $$
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


-- Sets a new password by a link, ends all sessions of the user and says how many. The link was sent to the email
-- address, so this confirms it. The outcome is that of use_link().
create function gatepost.reset_password(
  p_link_id uuid,
  p_new_hash text,
  p_ip inet,
  p_idle_timeout interval,
  out outcome text,
  out revoked integer
)
language plpgsql volatile set search_path = ''
as $$
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


-- Confirms an email address by a link, and welcomes the user the first time. Unless that happens in the session that
-- registered, someone else may have registered the address: then all sessions end, the password stops working, and
-- reset_link_id is a link to set a new one. The outcome is that of use_link().
create function gatepost.confirm_email(
  p_link_id uuid,
  p_session_id uuid,
  p_ip inet,
  p_idle_timeout interval,
  out outcome text,
  out revoked integer,
  out reset_link_id uuid
)
language plpgsql volatile set search_path = ''
as $$
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


-- Reports a sign-in as "not me" by a link: ends all sessions of the user and says how many. The password stops working,
-- because it let someone in, unless it was set by an emailed link since: then the intruder does not know it.
-- reset_link_id is a link to set a new password. There is one only within 24 hours of the sign-in and only if the
-- password is the same since: someone who finds the email later must not get into the account. The outcome is that of
-- use_link().
create function gatepost.use_not_me_link(
  p_link_id uuid,
  p_ip inet,
  p_idle_timeout interval,
  out outcome text,
  out revoked integer,
  out reset_link_id uuid
)
language plpgsql volatile set search_path = ''
as $$
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


revoke execute on all functions in schema gatepost from public;
