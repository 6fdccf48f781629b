-- Notifications: emails about a user's own account, queued in the transaction of the event that they report. SQL queues
-- only ids; text, location and links are filled in when the email is rendered.

-- A single-use link in an email. Its token is derived by GATEPOST_SECRET_KEY and stored nowhere.
create table gatepost.links (
  id uuid primary key default gen_random_uuid(),
  purpose text not null check (purpose in ('not_me', 'reset_password', 'verify_email')),
  user_id uuid not null references gatepost.users on delete cascade,
  session_id uuid references gatepost.sessions on delete cascade,
  -- the email address that it was sent to
  email text not null,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  used_at timestamptz,
  -- since when it cannot lead to a new password any more: the password changed, or the account was disabled
  voided_at timestamptz
);

create index links_user_idx on gatepost.links (user_id, purpose, created_at);

-- The templates whose emails a user has turned off.
create table gatepost.notification_opt_outs (
  user_id uuid not null references gatepost.users on delete cascade,
  template text not null,
  primary key (user_id, template)
);

create index emails_notification_session_idx on gatepost.emails ((notification ->> 'session_id'))
  where notification is not null;

alter table gatepost.links enable row level security;
alter table gatepost.notification_opt_outs enable row level security;


-- Queues a notification to a user and returns the email's id. p_about is {session_id} or {session_ids}; with p_purpose
-- the email gets a link that expires after p_lifetime. Returns null, without an error, if the user does not exist or
-- the template has no content: the event itself must not fail.
create function gatepost.queue_notification(
  p_template text,
  p_user_id uuid,
  p_about jsonb default '{}',
  p_purpose text default null,
  p_lifetime interval default null
) returns uuid
language plpgsql volatile set search_path = ''
as $$
declare
  recipient gatepost.users;
  content record;
  link_id uuid;
  queued uuid;
begin
  select * into recipient from gatepost.users u where u.id = p_user_id;
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
    template, version, locale, recipient, variables, notification, security, alone, queued_by, expires_at
  )
  select
    p_template, content.version, content.locale, recipient.email, '{}',
    jsonb_strip_nulls(p_about || jsonb_build_object('user_id', p_user_id, 'link_id', link_id, 'purpose', p_purpose)),
    exists (select from gatepost.builtin_templates b where b.key = p_template and b.security), false, 'gatepost',
    clock_timestamp() + p_lifetime
  returning id into queued;
  return queued;
end;
$$;


-- Uses a link and returns it. The outcome is ok, used, voided, expired or unknown; only ok uses it. Locks the user's row
-- first, as everything does that changes links.
create function gatepost.use_link(
  p_id uuid,
  p_purpose text,
  out outcome text,
  out link gatepost.links
)
language plpgsql volatile set search_path = ''
as $$
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


-- Notifies a user of a sign-in on a new device. A device is known if it has our device cookie (p_known), or if a
-- session with the same browser, operating system and network was opened in the last 30 days and not reported as "not
-- me". The user's first session is not reported. At most one notification per device in 15 minutes; one that was not
-- delivered does not count, and its session does not make the device known.
create function gatepost.notify_new_device(p_session gatepost.sessions, p_known boolean) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  network inet := gatepost.ip_network((p_session).ip);
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
      and gatepost.ip_network(s.ip) is not distinct from network
      and s.created_at > clock_timestamp() - interval '30 days'
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


-- Returns the network of an IP address (IPv4: /24, IPv6: /48), within which a device's address usually changes.
create function gatepost.ip_network(p_ip inet) returns inet
language sql immutable set search_path = ''
as $$
  select network(set_masklen(p_ip, case family(p_ip) when 4 then 24 else 48 end))::inet;
$$;


-- Handles the report "this wasn't me": ends all sessions of the user, invalidates the password, because someone else
-- knows it, and returns how many sessions it ended.
create function gatepost.report_session(p_user_id uuid, p_session_id uuid, p_ip inet) returns integer
language plpgsql volatile set search_path = ''
as $$
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


-- Queues an email with a link to reset the password if the address has an enabled account. At most five an hour;
-- earlier links stay valid, so that requesting more cannot lock the user out.
create function gatepost.request_password_reset(p_email text, p_ip inet default null) returns void
language plpgsql volatile set search_path = ''
as $$
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


-- Returns whether fewer than five links to set a new password were made for a user within the last hour.
create function gatepost.may_send_reset_link(p_user_id uuid) returns boolean
language sql stable set search_path = ''
as $$
  select count(*) < 5 from gatepost.links l
  where l.user_id = p_user_id and l.purpose = 'reset_password' and l.created_at > clock_timestamp() - interval '1 hour';
$$;


-- Queues an email with a link that verifies a user's email address. At most five an hour; earlier links stay valid. The
-- outcome is queued, verified (already), or limited: then `wait` is the number of seconds until the next is allowed.
create function gatepost.request_email_verification(
  p_user_id uuid,
  out outcome text,
  out wait double precision
)
language plpgsql volatile set search_path = ''
as $$
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


revoke execute on all functions in schema gatepost from public;
