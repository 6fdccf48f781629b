-- Sessions: which devices a person is signed in on.
--
--   active --(signed_out, signed_out_elsewhere, evicted, password_changed, refresh_token_reused, …)--> ended
--   active --(nothing for the idle timeout: idle; older than its lifetime: expired)------------------> ended
--
-- An ended session never becomes active again. `last_active_at` is in no index, so that activity stays on its
-- page (HOT); `last_active_on` is indexed and moves once a day.

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

-- One row a session: the hash of its current refresh token and, for the grace window, the hash of the one before
-- with the current one sealed under a key that only the one before can derive.
create table gatepost.refresh_tokens (
  session_id uuid primary key references gatepost.sessions on delete cascade,
  token_hash bytea not null check (octet_length(token_hash) = 32),
  previous_hash bytea check (octet_length(previous_hash) = 32),
  successor_sealed bytea,
  rotated_at timestamptz
) with (fillfactor = 80);

create index refresh_tokens_sealed_idx on gatepost.refresh_tokens (rotated_at) where successor_sealed is not null;

alter table gatepost.sessions enable row level security;
alter table gatepost.refresh_tokens enable row level security;


-- Why a session no longer counts, or null while it does. A body of this form is inlined into the caller's query.
create function gatepost.session_end_reason(session gatepost.sessions, idle_timeout interval) returns text
language sql stable
return case
  when session.end_reason is not null then session.end_reason
  when session.expires_at <= now() then 'expired'
  when session.last_active_at + idle_timeout <= now() then 'idle'
end;


create function gatepost.lock_sessions(p_user_id uuid) returns void
language sql volatile set search_path = ''
as $$
  select pg_advisory_xact_lock(hashtextextended('gatepost.sessions:' || p_user_id, 0));
$$;


-- Writes down the end of a session whose time has run out.
create function gatepost.end_lapsed_session(p_session_id uuid, p_idle_timeout interval) returns void
language sql volatile set search_path = ''
as $$
  update gatepost.sessions s
  set ended_at = least(s.expires_at, s.last_active_at + p_idle_timeout),
      end_reason = gatepost.session_end_reason(s, p_idle_timeout)
  where s.id = p_session_id
    and s.ended_at is null
    and gatepost.session_end_reason(s, p_idle_timeout) is not null;
$$;


-- The same for all of a person's sessions. Only under lock_sessions: it touches many rows in no fixed order.
create function gatepost.end_lapsed_sessions(p_user_id uuid, p_idle_timeout interval) returns void
language sql volatile set search_path = ''
as $$
  select gatepost.end_lapsed_session(s.id, p_idle_timeout)
  from gatepost.sessions s
  where s.user_id = p_user_id and s.ended_at is null;
$$;


-- Opens a session and evicts the least recently active ones above the cap. Returns the new one, then the evicted.
-- The one that it replaces, because the same browser had it, is ended first and takes no place.
-- The lock makes the cap hold however many sign-ins of one person arrive at once.
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


-- Exchanges a refresh token for its successor. The outcome is one of:
--   rotated   the token was current; the successor is now
--   replayed  the token was current until a moment ago and its successor still is: the same successor again
--   reused    any other genuine token of this session: taken for theft, the session has ended
--   ended     the session had ended before
--   unknown   no such session
create function gatepost.refresh_session(
  p_session_id uuid,
  p_token_hash bytea,
  p_successor_hash bytea,
  p_successor_sealed bytea,
  p_ip inet,
  p_grace interval,
  p_idle_timeout interval,
  out outcome text,
  out successor_sealed bytea,
  out session gatepost.sessions
)
language plpgsql volatile set search_path = ''
as $$
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


-- Notes activity, at most once an interval: of many calls at once, one writes.
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


-- Ends one session of a person; ending it again changes nothing. GP404 where they have no such session.
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
    raise exception 'no such session' using errcode = 'GP404';
  end if;
  perform gatepost.end_lapsed_session(p_session_id, p_idle_timeout);

  update gatepost.sessions s
  set ended_at = clock_timestamp(), end_reason = p_reason, ended_by = p_ended_by
  where s.id = p_session_id and s.ended_at is null;
end;
$$;


-- Ends all of a person's sessions but one (null: all), and says how many that were.
create function gatepost.revoke_other_sessions(
  p_user_id uuid,
  p_kept_id uuid,
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
  perform gatepost.end_lapsed_sessions(p_user_id, p_idle_timeout);

  update gatepost.sessions s
  set ended_at = clock_timestamp(), end_reason = p_reason, ended_by = p_ended_by
  where s.user_id = p_user_id and s.ended_at is null and s.id is distinct from p_kept_id;

  get diagnostics revoked = row_count;
  return revoked;
end;
$$;


revoke execute on all functions in schema gatepost from public;

-- On Supabase a signed-in person may read their own sessions over PostgREST, and nothing else.
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
