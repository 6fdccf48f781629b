-- Admin: API keys, listing and ending the sessions of any user, and disabling, enabling and deleting users.

create table gatepost.api_keys (
  id uuid primary key default gen_random_uuid(),
  name text not null check (char_length(name) between 1 and 100),
  -- the readable start of the secret, for telling keys apart
  prefix text not null unique,
  secret_hash bytea not null check (octet_length(secret_hash) = 32),
  scopes text[] not null,
  created_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);

alter table gatepost.api_keys enable row level security;

-- For listing the sessions of all users: each list follows the order of one index, so that every page costs the same.
create index sessions_created_idx on gatepost.sessions (created_at, id);
create index sessions_user_created_idx on gatepost.sessions (user_id, created_at, id);
create index sessions_ip_idx on gatepost.sessions (ip, created_at, id);
create index sessions_active_created_idx on gatepost.sessions (created_at, id) where ended_at is null;
create index sessions_expired_created_idx on gatepost.sessions (created_at, id) where end_reason in ('idle', 'expired');
create index sessions_revoked_created_idx on gatepost.sessions (created_at, id)
  where ended_at is not null and end_reason not in ('idle', 'expired');


-- Ends one session of any user and returns whether it was still active.
-- Raises GP001 session_not_found if there is no such session.
create function gatepost.revoke_any_session(
  p_session_id uuid,
  p_actor text,
  p_reason text,
  p_ip inet,
  p_notify boolean default false
) returns boolean
language plpgsql volatile set search_path = ''
as $$
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


-- Ends all sessions of a user and returns how many it ended. With p_notify the user gets one email about them.
create function gatepost.revoke_user_sessions(
  p_user_id uuid,
  p_actor text,
  p_reason text,
  p_ip inet,
  p_idle_timeout interval,
  p_notify boolean default false
) returns integer
language plpgsql volatile set search_path = ''
as $$
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


-- Ends the still active ones of a list of sessions and returns how many it ended. The caller keeps the list short, so
-- that locks are held briefly, and calls again for the sessions that were locked. With p_notify each user gets one
-- email about all of their sessions, so those of one user end together or not at all.
create function gatepost.revoke_listed_sessions(
  p_session_ids uuid[],
  p_actor text,
  p_reason text,
  p_ip inet,
  p_notify boolean default false
) returns integer
language plpgsql volatile set search_path = ''
as $$
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


-- Disables a user, ends all of their sessions and returns how many it ended. No new session opens until the user is
-- enabled. Raises GP002 user_not_found if there is no such user.
create function gatepost.disable_user(
  p_user_id uuid,
  p_actor text,
  p_reason text,
  p_ip inet,
  p_idle_timeout interval
) returns integer
language plpgsql volatile set search_path = ''
as $$
declare
  revoked integer;
begin
  update gatepost.users u set disabled_at = coalesce(u.disabled_at, now()) where u.id = p_user_id;
  if not found then
    raise exception using errcode = 'GP002', message = 'user_not_found';
  end if;
  revoked := gatepost.revoke_user_sessions(p_user_id, p_actor, p_reason, p_ip, p_idle_timeout);
  perform gatepost.record_audit(p_actor, 'user.disabled', 'user:' || p_user_id, p_reason, p_ip);
  return revoked;
end;
$$;


-- Lets a disabled user sign in again. Raises GP002 user_not_found if there is no such user.
create function gatepost.enable_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  update gatepost.users u set disabled_at = null where u.id = p_user_id;
  if not found then
    raise exception using errcode = 'GP002', message = 'user_not_found';
  end if;
  perform gatepost.record_audit(p_actor, 'user.enabled', 'user:' || p_user_id, p_reason, p_ip);
end;
$$;


-- Deletes a user, ends all of their sessions and returns how many it ended. The session history and the audit log keep
-- only the id. Raises GP002 user_not_found if there is no such user.
create function gatepost.delete_user(
  p_user_id uuid,
  p_actor text,
  p_reason text,
  p_ip inet,
  p_idle_timeout interval
) returns integer
language plpgsql volatile set search_path = ''
as $$
declare
  revoked integer;
begin
  delete from gatepost.users u where u.id = p_user_id;
  if not found then
    raise exception using errcode = 'GP002', message = 'user_not_found';
  end if;
  revoked := gatepost.revoke_user_sessions(p_user_id, p_actor, p_reason, p_ip, p_idle_timeout);
  perform gatepost.record_audit(p_actor, 'user.deleted', 'user:' || p_user_id, p_reason, p_ip);
  return revoked;
end;
$$;


revoke execute on all functions in schema gatepost from public;
