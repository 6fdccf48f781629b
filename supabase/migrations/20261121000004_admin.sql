-- Admin: API keys, listing and ending the sessions of any user, and disabling, enabling and deleting users.

create table gatepost.api_keys (
  id uuid primary key default gen_random_uuid(),
  name text not null check (char_length(name) between 1 and 100),
  -- the readable start of the secret, for telling keys apart
  prefix text not null unique,
  secret_hash bytea not null check (octet_length(secret_hash) = 32),
  scopes text[] not null,
  created_by text not null,
  -- The admin whom the key acts for: it works as long as they are an enabled admin. No foreign key, because the key of a
  -- deleted user stays, without working. Null: made on the command line, by the operator.
  owner_id uuid,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  -- when its owner stopped being an enabled admin; only another take-over clears it, not the owner's return
  suspended_at timestamptz
);

create index api_keys_owner_idx on gatepost.api_keys (owner_id);

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


-- Makes sure that the new owner of a key is an enabled admin, and stays one until the transaction ends. Raises GP059
-- key_owner_not_admin.
create function gatepost.check_api_key_owner() returns trigger
language plpgsql set search_path = ''
as $$
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

create trigger check_owner_on_insert before insert on gatepost.api_keys
  for each row when (new.owner_id is not null) execute function gatepost.check_api_key_owner();
create trigger check_owner_on_update before update of owner_id on gatepost.api_keys
  for each row when (new.owner_id is not null) execute function gatepost.check_api_key_owner();


-- Makes a user the owner of a key, which works again if it was suspended. Raises GP057 api_key_not_found, GP058
-- api_key_revoked, or GP059 key_owner_not_admin.
create function gatepost.take_over_api_key(p_key_id uuid, p_user_id uuid, p_actor text, p_ip inet) returns void
language plpgsql volatile set search_path = ''
as $$
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


-- Ends all sessions of a user who is about to be disabled or deleted, and returns how many it ended. Until the end of the
-- transaction nobody signs in as them. Raises GP002 user_not_found if there is no such user.
create function gatepost.lock_out_user(
  p_user_id uuid,
  p_actor text,
  p_reason text,
  p_ip inet,
  p_idle_timeout interval
) returns integer
language plpgsql volatile set search_path = ''
as $$
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


-- Disables a user, ends all of their sessions and returns how many it ended. No new session opens until the user is
-- enabled. A trigger writes the audit row. Raises GP002 user_not_found if there is no such user, or GP060 last_admin.
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
  revoked := gatepost.lock_out_user(p_user_id, p_actor, p_reason, p_ip, p_idle_timeout);
  update gatepost.users u set disabled_at = now() where u.id = p_user_id and u.disabled_at is null;
  return revoked;
end;
$$;


-- Lets a disabled user sign in again. Their API keys stay suspended. Raises GP002 user_not_found if there is no such
-- user.
create function gatepost.enable_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  perform gatepost.set_actor(p_actor, p_reason, p_ip);
  update gatepost.users u set disabled_at = null where u.id = p_user_id;
  if not found then
    raise exception using errcode = 'GP002', message = 'user_not_found';
  end if;
end;
$$;


-- Deletes a user, ends all of their sessions and returns how many it ended. Triggers erase what the user leaves. Raises
-- GP002 user_not_found if there is no such user, or GP060 last_admin.
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
  revoked := gatepost.lock_out_user(p_user_id, p_actor, p_reason, p_ip, p_idle_timeout);
  delete from gatepost.users u where u.id = p_user_id;
  return revoked;
end;
$$;


revoke execute on all functions in schema gatepost from public;
