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

-- What a summary counts: the notifications of one kind that were above the ceiling. The summary's email has the id. A
-- foreign key would lock the user's row after everything else; forget_summaries() deletes the rows of a deleted user.
create table gatepost.summarized_notifications (
  summary_id uuid not null,
  user_id uuid not null,
  template text not null,
  count integer not null check (count > 0),
  first_at timestamptz not null,
  last_at timestamptz not null,
  primary key (summary_id, template)
);

create index summarized_notifications_user_idx on gatepost.summarized_notifications (user_id);
create index emails_notification_session_idx on gatepost.emails ((notification ->> 'session_id'))
  where notification is not null;
create index emails_notification_user_idx on gatepost.emails ((notification ->> 'user_id'), template, created_at)
  where notification is not null;

alter table gatepost.links enable row level security;
alter table gatepost.notification_opt_outs enable row level security;
alter table gatepost.summarized_notifications enable row level security;


-- Queues a notification to a user and returns the email's id. p_about is what the values are looked up by: any of
-- {session_id, session_ids, account_id, api_key_id, summary_id, ip}. With p_purpose the email gets a link that expires
-- after p_lifetime. p_to is another recipient than the user's current email address, which the caller knows to be
-- confirmed. Returns null, without an error, if the user does not exist or the template has no content: the event itself
-- must not fail. To an email address that is not confirmed, only links that prove who owns it are sent: anyone could
-- have registered it. At the end of the transaction, limit_notifications() takes back what is above the ceiling.
create function gatepost.queue_notification(
  p_template text,
  p_user_id uuid,
  p_about jsonb default '{}',
  p_purpose text default null,
  p_lifetime interval default null,
  p_to text default null
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


-- Keeps every kind of notification to five an hour for each recipient, and sums up what is above that in one email. Runs
-- when the transaction commits, after all of its other locks: so its own lock, which makes the ceiling hold for
-- concurrent transactions, comes last in the lock order wherever a notification is queued. Links that a user asks for
-- have limits of their own.
create function gatepost.limit_notifications() returns trigger
language plpgsql set search_path = ''
as $$
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

create constraint trigger limit_notifications after insert on gatepost.emails deferrable initially deferred
  for each row when (
    new.notification is not null and new.resend_of is null and new.status = 'queued'
    and new.template <> 'notification-summary'
    and coalesce(new.notification ->> 'purpose', '') not in ('verify_email', 'reset_password')
  )
  execute function gatepost.limit_notifications();


-- Counts a notification in the summary that waits for its recipient, or queues one: it is sent ten minutes later, and at
-- least an hour after the previous one. What it says is looked up when it is rendered, so that it counts everything up
-- to then. The caller holds the recipient's lock of limit_notifications().
create function gatepost.summarize_notification(p_email gatepost.emails) returns void
language plpgsql volatile set search_path = ''
as $$
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


create function gatepost.forget_summaries() returns trigger
language plpgsql set search_path = ''
as $$
begin
  delete from gatepost.summarized_notifications s where s.user_id = old.id;
  return null;
end;
$$;

create trigger forget_summaries after delete on gatepost.users
  for each row execute function gatepost.forget_summaries();


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


-- Notifies a user of a sign-in on a new device. A device is known if it has our device cookie (p_known). Without the
-- cookie, only a sign-in within 24 hours after another one with the same browser, operating system and network is known,
-- unless that one was reported as "not me". The user's first session is not reported. At most one notification per
-- device in 15 minutes; one that was not delivered does not count, and its session does not make the device known.
create function gatepost.notify_new_device(p_session gatepost.sessions, p_known boolean) returns void
language plpgsql volatile set search_path = ''
as $$
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


-- Returns the network of a device: its IPv4 address, or the /64 of its IPv6 address, within which devices change theirs
-- (RFC 8981).
create function gatepost.device_network(p_ip inet) returns inet
language sql immutable set search_path = ''
as $$
  select network(set_masklen(p_ip, case family(p_ip) when 4 then 32 else 64 end))::inet;
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
