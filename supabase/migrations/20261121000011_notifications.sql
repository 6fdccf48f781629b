-- Notices: mail about a person's own account, queued in the transaction of the thing it tells of. SQL queues ids; words,
-- places and links come in when the message is rendered.

-- A link in a mail: what it does, for whom, until when, once. Its token is keyed by GATEPOST_SECRET_KEY and nowhere here.
create table gatepost.links (
  id uuid primary key default gen_random_uuid(),
  purpose text not null check (purpose in ('not_me', 'reset_password', 'verify_email')),
  user_id uuid not null references gatepost.users on delete cascade,
  session_id uuid references gatepost.sessions on delete cascade,
  -- the address that it went to
  email text not null,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  used_at timestamptz
);

create index links_user_idx on gatepost.links (user_id, purpose, created_at);

-- Mail that a person does not want: the templates they have turned off.
create table gatepost.unwanted_mail (
  user_id uuid not null references gatepost.users on delete cascade,
  template text not null,
  primary key (user_id, template)
);

create index emails_notice_session_idx on gatepost.emails ((notice ->> 'session')) where notice is not null;

alter table gatepost.links enable row level security;
alter table gatepost.unwanted_mail enable row level security;


-- Queues a notice to a person, with a link where it has one, and returns the message's id; null where there are no words
-- for it: what it tells of must not fail for that.
create function gatepost.queue_notice(
  p_template text,
  p_user_id uuid,
  p_about jsonb default '{}',
  p_purpose text default null,
  p_lifetime interval default null
) returns uuid
language plpgsql volatile set search_path = ''
as $$
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


-- Uses a link up and returns whose it is; the outcome is used, expired, unknown, or ok.
create function gatepost.use_link(
  p_id uuid,
  p_purpose text,
  out outcome text,
  out user_id uuid,
  out session_id uuid,
  out email text
)
language plpgsql volatile set search_path = ''
as $$
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


-- Tells a person of a sign-in on a new device. New is one without our device cookie for them (p_known) and without a
-- session from the same browser, system and network in the last 30 days that they did not disown; the first session of
-- all is no news. Of one device at most one notice in 15 minutes; one that was lost does not count, nor did it tell.
create function gatepost.tell_of_sign_in(p_session gatepost.sessions, p_known boolean) returns void
language plpgsql volatile set search_path = ''
as $$
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


-- The network that an address is in, as people move about in it: /24, /48.
create function gatepost.network_of(p_ip inet) returns inet
language sql immutable set search_path = ''
as $$
  select network(set_masklen(p_ip, case family(p_ip) when 4 then 24 else 48 end))::inet;
$$;


-- Ends the session that a not-me link is about, and all others of the person, and makes their password useless: whoever
-- was in has it. Says how many ended.
create function gatepost.disown_session(p_user_id uuid, p_session_id uuid, p_ip inet) returns integer
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
  perform gatepost.note_audit(
    'person:' || p_user_id, 'session.disowned', 'session:' || p_session_id, null, p_ip,
    jsonb_build_object('ended', revoked)
  );
  return revoked;
end;
$$;


-- Queues a mail with a link to choose a new password, if the address has an account; five an hour at most, and those that
-- were sent before go on working, so that nobody is locked out by somebody who asks.
create function gatepost.request_password_reset(p_email text) returns void
language plpgsql volatile set search_path = ''
as $$
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


-- Queues a mail with a link that confirms a person's address, unless it is confirmed; five an hour at most, and those that
-- were sent before go on working. The outcome is queued, confirmed, or limited: then `wait` is the seconds until the next.
create function gatepost.request_email_verification(
  p_user_id uuid,
  out outcome text,
  out wait double precision
)
language plpgsql volatile set search_path = ''
as $$
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


revoke execute on all functions in schema gatepost from public;
