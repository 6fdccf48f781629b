-- Staff: API keys, searching everybody's sessions, ending them, and what happens to people.

create table gatepost.api_keys (
  id uuid primary key default gen_random_uuid(),
  name text not null check (char_length(name) between 1 and 100),
  -- the readable part of the secret, by which people tell keys apart
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

-- For lists of everybody's sessions, each in the order of an index, so that any page costs what the first one does.
create index sessions_created_idx on gatepost.sessions (created_at, id);
create index sessions_user_created_idx on gatepost.sessions (user_id, created_at, id);
create index sessions_ip_idx on gatepost.sessions (ip, created_at, id);
create index sessions_open_idx on gatepost.sessions (created_at, id) where ended_at is null;
create index sessions_lapsed_idx on gatepost.sessions (created_at, id) where end_reason in ('idle', 'expired');
create index sessions_revoked_idx on gatepost.sessions (created_at, id)
  where ended_at is not null and end_reason not in ('idle', 'expired');


-- Ends anybody's session and says whether it had not ended before. GP404 where there is none.
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
  perform gatepost.act_as(p_actor, p_reason, p_ip);
  perform from gatepost.sessions s where s.id = p_session_id for update;
  if not found then
    raise exception 'no such session' using errcode = 'GP404';
  end if;

  update gatepost.sessions s
  set ended_at = clock_timestamp(), end_reason = 'signed_out_by_admin'
  where s.id = p_session_id and s.ended_at is null
  returning s.user_id into owner;
  if p_notify then
    perform gatepost.queue_notice('session-revoked', owner, jsonb_build_object('sessions', array[p_session_id]));
  end if;
  return owner is not null;
end;
$$;


-- Ends all sessions of a person and says how many that were.
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
  perform gatepost.end_lapsed_sessions(p_user_id, p_idle_timeout);
  perform gatepost.act_as(p_actor, p_reason, p_ip);

  with ended as (
    update gatepost.sessions s
    set ended_at = clock_timestamp(), end_reason = 'signed_out_by_admin'
    where s.user_id = p_user_id and s.ended_at is null
    returning s.id
  )
  select array_agg(ended.id) into revoked from ended;
  if p_notify and revoked is not null then
    perform gatepost.queue_notice('session-revoked', p_user_id, jsonb_build_object('sessions', revoked));
  end if;
  return coalesce(cardinality(revoked), 0);
end;
$$;


-- Ends those of some sessions that are still active. The caller keeps the lists short, so that nobody waits long. With
-- p_notify each person is told of all of theirs in one mail, so these end together or not at all.
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
  person record;
  revoked integer := 0;
begin
  perform gatepost.act_as(p_actor, p_reason, p_ip);
  -- Waiting for the disk at each step would have everybody else's commits wait behind it; the caller's last one waits.
  perform set_config('synchronous_commit', 'off', true);

  -- Rows that somebody else holds at this moment are being ended or refreshed; the caller comes back for them.
  for person in
    with held as (
      select s.id from gatepost.sessions s
      where s.id = any (p_session_ids) and s.ended_at is null
      order by s.id
      for update skip locked
    ), busy as (
      select s.user_id from gatepost.sessions s
      where s.id = any (p_session_ids) and s.ended_at is null and s.id not in (select held.id from held)
    ), ended as (
      update gatepost.sessions s
      set ended_at = clock_timestamp(), end_reason = 'signed_out_by_admin'
      from held
      where s.id = held.id and not (p_notify and s.user_id in (select busy.user_id from busy))
      returning s.id, s.user_id
    )
    select ended.user_id as id, array_agg(ended.id) as ended from ended group by ended.user_id
  loop
    revoked := revoked + cardinality(person.ended);
    if p_notify then
      perform gatepost.queue_notice('session-revoked', person.id, jsonb_build_object('sessions', person.ended));
    end if;
  end loop;
  return revoked;
end;
$$;


-- Disables a person: every session of theirs ends, and no new one opens. Says how many ended; GP404 where there is no
-- such person.
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
    raise exception 'no such person' using errcode = 'GP404';
  end if;
  revoked := gatepost.revoke_user_sessions(p_user_id, p_actor, p_reason, p_ip, p_idle_timeout);
  perform gatepost.note_audit(p_actor, 'person.disabled', 'person:' || p_user_id, p_reason, p_ip);
  return revoked;
end;
$$;


create function gatepost.enable_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  update gatepost.users u set disabled_at = null where u.id = p_user_id;
  if not found then
    raise exception 'no such person' using errcode = 'GP404';
  end if;
  perform gatepost.note_audit(p_actor, 'person.enabled', 'person:' || p_user_id, p_reason, p_ip);
end;
$$;


-- Deletes a person: every session of theirs ends, and it says how many; the sessions' history and the audit log keep the
-- id alone.
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
    raise exception 'no such person' using errcode = 'GP404';
  end if;
  revoked := gatepost.revoke_user_sessions(p_user_id, p_actor, p_reason, p_ip, p_idle_timeout);
  perform gatepost.note_audit(p_actor, 'person.deleted', 'person:' || p_user_id, p_reason, p_ip);
  return revoked;
end;
$$;


revoke execute on all functions in schema gatepost from public;
