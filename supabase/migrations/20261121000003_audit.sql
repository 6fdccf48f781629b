-- Audit: who did what to what, and why. A row is written in the transaction of the action itself and never changes.
--
-- One sealer chains the rows that are older than every running transaction: each seal holds the SHA-256 of its row, of
-- itself and of the previous seal, and a MAC of that hash under a key that is not in the database. So writers do not
-- wait for each other, rows that were altered, removed or inserted later are detected, and the database alone cannot
-- make the chain again. Positions follow the order of sealing: a row that commits late has a lower id and a higher
-- position.

create table gatepost.audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  -- user:<id>, key:<id>, cli or system
  actor text not null,
  action text not null,
  -- user:<id>, session:<id>, key:<id>
  target text,
  reason text,
  ip inet,
  detail jsonb not null default '{}' check (jsonb_typeof(detail) = 'object'),
  written_by xid8 not null default pg_current_xact_id()
);

create index audit_log_unsealed_idx on gatepost.audit_log (written_by);
create index audit_log_actor_idx on gatepost.audit_log (actor, id);
create index audit_log_action_idx on gatepost.audit_log (action, id);
create index audit_log_target_idx on gatepost.audit_log (target, id);

create table gatepost.audit_seals (
  position bigint primary key check (position > 0),
  audit_id bigint not null unique,
  hash bytea not null check (octet_length(hash) = 32),
  -- HMAC-SHA256 of the hash, by the key with this id, which is derived from GATEPOST_SECRET_KEY
  mac bytea not null check (octet_length(mac) = 32),
  key_id text not null,
  -- the seal of a retention row: all positions up to this one were dropped; part of the hash
  drops_to bigint,
  -- all rows of transactions before this one are sealed: an unsealed row of an earlier transaction was inserted later
  horizon xid8 not null,
  -- the server (pg_control_system) that the horizon was read on; another server numbers its transactions from the start
  cluster bigint not null,
  sealed_at timestamptz not null
);

-- Retention: the last seal of each range of rows that was dropped. The log begins after the highest position. These rows
-- prove nothing: a sealed row `audit.dropped` has to name the same position and hash.
create table gatepost.audit_drops (
  position bigint primary key check (position > 0),
  hash bytea not null check (octet_length(hash) = 32),
  dropped_at timestamptz not null default clock_timestamp()
);

alter table gatepost.audit_log enable row level security;
alter table gatepost.audit_seals enable row level security;
alter table gatepost.audit_drops enable row level security;


-- Raises GP031 audit_log_append_only for every change except the deletion of rows that an audit_drops row covers.
create function gatepost.reject_audit_change() returns trigger
language plpgsql set search_path = ''
as $$
declare
  dropped bigint;
begin
  if tg_op = 'DELETE' and tg_table_name <> 'audit_drops' then
    select max(d.position) into dropped from gatepost.audit_drops d;
    if tg_table_name = 'audit_log' then
      perform from gatepost.audit_seals s where s.audit_id = old.id and s.position <= dropped;
    else
      perform where old.position <= dropped;
    end if;
    if found then
      return old;
    end if;
  end if;
  raise exception using errcode = 'GP031', message = 'audit_log_append_only', table = tg_table_name;
end;
$$;

create trigger append_only before update or delete on gatepost.audit_log
  for each row execute function gatepost.reject_audit_change();
create trigger append_only before update or delete on gatepost.audit_seals
  for each row execute function gatepost.reject_audit_change();
create trigger append_only before update or delete on gatepost.audit_drops
  for each row execute function gatepost.reject_audit_change();
create trigger no_truncate before truncate on gatepost.audit_log
  for each statement execute function gatepost.reject_audit_change();
create trigger no_truncate before truncate on gatepost.audit_seals
  for each statement execute function gatepost.reject_audit_change();
create trigger no_truncate before truncate on gatepost.audit_drops
  for each statement execute function gatepost.reject_audit_change();


-- Sets the time and the transaction of a new row, so that its writer cannot choose them.
-- Raises GP032 audit_row_id_not_generated if the id is not the next one of the sequence.
create function gatepost.stamp_audit_row() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if new.id <> currval('gatepost.audit_log_id_seq') then
    raise exception using errcode = 'GP032', message = 'audit_row_id_not_generated', column = 'id';
  end if;
  new.at := clock_timestamp();
  new.written_by := pg_current_xact_id();
  return new;
end;
$$;

create trigger stamp_row before insert on gatepost.audit_log
  for each row execute function gatepost.stamp_audit_row();


create function gatepost.record_audit(
  p_actor text,
  p_action text,
  p_target text,
  p_reason text default null,
  p_ip inet default null,
  p_detail jsonb default '{}'
) returns void
language sql volatile set search_path = ''
as $$
  insert into gatepost.audit_log (actor, action, target, reason, ip, detail)
  values (p_actor, p_action, p_target, p_reason, p_ip, p_detail);
$$;


-- Opening and ending a session is audited by triggers, whichever function or statement does it. Someone who acts for
-- another user first names the actor by set_actor(). The two triggers insert directly instead of calling
-- record_audit(), because every sign-in pays for them.
create function gatepost.audit_session_opened() returns trigger
language plpgsql set search_path = ''
as $$
begin
  insert into gatepost.audit_log (actor, action, target, ip, detail) values (
    'user:' || new.user_id, 'session.opened', 'session:' || new.id, new.ip,
    jsonb_build_object('user_id', new.user_id, 'kind', new.device_kind)
  );
  return null;
end;
$$;

create function gatepost.audit_session_ended() returns trigger
language plpgsql set search_path = ''
as $$
begin
  insert into gatepost.audit_log (actor, action, target, reason, ip, detail) values (
    coalesce(nullif(current_setting('gatepost.actor', true), ''), 'user:' || new.ended_by, 'system'),
    'session.ended', 'session:' || new.id,
    nullif(current_setting('gatepost.reason', true), ''),
    nullif(current_setting('gatepost.ip', true), '')::inet,
    jsonb_build_object('user_id', new.user_id, 'end_reason', new.end_reason)
  );
  return null;
end;
$$;

create trigger audit_opened after insert on gatepost.sessions
  for each row execute function gatepost.audit_session_opened();
create trigger audit_ended after update on gatepost.sessions
  for each row when (old.ended_at is null and new.ended_at is not null)
  execute function gatepost.audit_session_ended();


-- Sets the actor, the reason and the IP address for the audit rows of the rest of the transaction.
create function gatepost.set_actor(p_actor text, p_reason text, p_ip inet) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  perform set_config('gatepost.actor', p_actor, true);
  perform set_config('gatepost.reason', coalesce(p_reason, ''), true);
  perform set_config('gatepost.ip', coalesce(host(p_ip), ''), true);
end;
$$;


revoke execute on all functions in schema gatepost from public;
