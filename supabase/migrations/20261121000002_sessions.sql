-- Sessions: the devices that a user is signed in on.
--
--   active --(signed_out, signed_out_elsewhere, evicted, password_changed, refresh_token_reused, …)--> ended
--   active --(idle: not used for the idle timeout; expired: older than its lifetime)-----------------> ended
--
-- An ended session never becomes active again. `last_active_at` is not indexed, so that recording activity is a HOT
-- update; `last_active_on` is indexed and changes once a day.

create table gatepost.sessions (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  name text check (char_length(name) between 1 and 100),
  device_kind text not null check (device_kind in ('desktop', 'mobile', 'tablet', 'bot', 'unknown')),
  browser text,
  os text,
  ip inet,
  created_at timestamptz not null default clock_timestamp(),
  authenticated_at timestamptz not null default clock_timestamp(),
  last_active_at timestamptz not null default clock_timestamp(),
  last_active_on date not null default (clock_timestamp() at time zone 'UTC')::date,
  expires_at timestamptz not null,
  ended_at timestamptz,
  ended_by uuid,
  end_reason text check (end_reason in (
    'signed_out', 'signed_out_elsewhere', 'signed_out_by_admin', 'evicted', 'password_changed',
    'refresh_token_reused', 'not_me', 'idle', 'expired'
  )),
  check ((ended_at is null) = (end_reason is null))
) with (fillfactor = 80);

create index sessions_active_idx on gatepost.sessions (user_id) where ended_at is null;
create index sessions_ended_idx on gatepost.sessions (user_id, ended_at) where ended_at is not null;
create index sessions_last_active_on_idx on gatepost.sessions (last_active_on);

-- One row per session: the hash of its current refresh token and, for the grace period, the hash of the previous token
-- with the current one encrypted under a key that only the previous token can derive.
create table gatepost.refresh_tokens (
  session_id uuid primary key references gatepost.sessions on delete cascade,
  token_hash bytea not null check (octet_length(token_hash) = 32),
  previous_hash bytea check (octet_length(previous_hash) = 32),
  successor_encrypted bytea,
  rotated_at timestamptz
) with (fillfactor = 80);

create index refresh_tokens_successor_idx on gatepost.refresh_tokens (rotated_at) where successor_encrypted is not null;

alter table gatepost.sessions enable row level security;
alter table gatepost.refresh_tokens enable row level security;


-- Returns why a session is no longer active, or null while it is. Written so that PostgreSQL inlines it into the
-- calling query.
create function gatepost.session_end_reason(session gatepost.sessions, idle_timeout interval) returns text
language sql stable
return case
  when session.end_reason is not null then session.end_reason
  when session.expires_at <= now() then 'expired'
  when session.last_active_at + idle_timeout <= now() then 'idle'
end;


-- Takes the locks of a user until the end of the transaction, in the order in which everything takes them: the user's row
-- (none if the host or a provider keeps the users), then the user's advisory lock, which keeps others from opening a
-- session, then the active sessions and p_other_id, by id.
create function gatepost.lock_sessions(p_user_id uuid, p_other_id uuid default null) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  perform from gatepost.users u where u.id = p_user_id for no key update;
  perform pg_advisory_xact_lock(hashtextextended('gatepost.sessions:' || p_user_id, 0));
  perform from gatepost.sessions s
  where s.user_id = p_user_id and s.ended_at is null or s.id = p_other_id
  order by s.id
  for no key update;
end;
$$;


-- Ends a session that is idle or has expired; does nothing to other sessions.
create function gatepost.expire_session(p_session_id uuid, p_idle_timeout interval) returns void
language sql volatile set search_path = ''
as $$
  update gatepost.sessions s
  set ended_at = least(s.expires_at, s.last_active_at + p_idle_timeout),
      end_reason = gatepost.session_end_reason(s, p_idle_timeout)
  where s.id = p_session_id
    and s.ended_at is null
    and gatepost.session_end_reason(s, p_idle_timeout) is not null;
$$;


-- Ends all idle or expired sessions of a user. Call lock_sessions() first: rows are updated in no fixed order.
create function gatepost.expire_user_sessions(p_user_id uuid, p_idle_timeout interval) returns void
language sql volatile set search_path = ''
as $$
  select gatepost.expire_session(s.id, p_idle_timeout)
  from gatepost.sessions s
  where s.user_id = p_user_id and s.ended_at is null;
$$;


-- Opens a session and evicts the least recently active ones above p_max_sessions. Returns the new session, then the
-- evicted ones. p_replaced_id is an earlier session of the same browser: it is signed out first and does not count. The
-- lock keeps the limit under concurrent sign-ins of one user. Notifies the user of a new device unless p_known_device.
create function gatepost.open_session(
  p_session_id uuid,
  p_user_id uuid,
  p_token_hash bytea,
  p_name text,
  p_device_kind text,
  p_browser text,
  p_os text,
  p_ip inet,
  p_lifetime interval,
  p_idle_timeout interval,
  p_max_sessions integer,
  p_replaced_id uuid default null,
  p_known_device boolean default false
) returns setof gatepost.sessions
language plpgsql volatile set search_path = ''
as $$
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


-- Exchanges a refresh token for its successor. The outcome is one of:
--   rotated   the token was current; the successor is current now
--   replayed  the token was rotated within the grace period: returns the same successor again
--   reused    any other token of this session: treated as theft, the session is ended
--   ended     the session has already ended
--   unknown   the session does not exist
create function gatepost.refresh_session(
  p_session_id uuid,
  p_token_hash bytea,
  p_successor_hash bytea,
  p_successor_encrypted bytea,
  p_ip inet,
  p_grace interval,
  p_idle_timeout interval,
  out outcome text,
  out successor_encrypted bytea,
  out session gatepost.sessions
)
language plpgsql volatile set search_path = ''
as $$
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


-- Records activity, at most once per interval: of many concurrent calls only one writes.
create function gatepost.touch_session(p_session_id uuid, p_ip inet, p_interval interval) returns void
language sql volatile set search_path = ''
as $$
  update gatepost.sessions s
  set last_active_at = now(),
      last_active_on = (now() at time zone 'UTC')::date,
      ip = coalesce(p_ip, s.ip)
  where s.id = p_session_id
    and s.ended_at is null
    and s.last_active_at <= now() - p_interval;
$$;


-- Ends one session of a user; does nothing if it has already ended.
-- Raises GP001 session_not_found if the user has no such session.
create function gatepost.revoke_session(
  p_user_id uuid,
  p_session_id uuid,
  p_ended_by uuid,
  p_reason text,
  p_idle_timeout interval
) returns void
language plpgsql volatile set search_path = ''
as $$
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


-- Ends all sessions of a user except one (null: all of them) and returns how many it ended.
create function gatepost.revoke_other_sessions(
  p_user_id uuid,
  p_except_id uuid,
  p_ended_by uuid,
  p_reason text,
  p_idle_timeout interval
) returns integer
language plpgsql volatile set search_path = ''
as $$
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


revoke execute on all functions in schema gatepost from public;

-- On Supabase, signed-in users may read their own sessions through PostgREST, and nothing else.
do $$
begin
  if exists (select from pg_roles where rolname = 'authenticated') then
    grant usage on schema gatepost to authenticated;
    grant select on gatepost.sessions to authenticated;
    create policy read_own_sessions on gatepost.sessions for select to authenticated
      using (user_id = (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid);
  end if;
end;
$$;
