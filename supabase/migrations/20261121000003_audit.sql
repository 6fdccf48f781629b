-- Audit: who did what to what, and why. A row is written in the transaction of the act and never changed.
--
-- One sealer chains the rows that are older than every running transaction: each seal holds the SHA-256 of its row, of
-- itself and of the seal before. So writing serialises nobody, and what was altered, removed or slipped in later shows.
-- Positions follow the order of sealing: what commits late has a lower id and a later position.

create table gatepost.audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  -- person:<id>, key:<id>, shell or system
  actor text not null,
  action text not null,
  -- person:<id>, session:<id>, key:<id>
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
  -- every row that an older transaction wrote is sealed by now: one that turns up without a seal was slipped in
  horizon xid8 not null,
  -- the server (pg_control_system) that this horizon was read on: on another one, transaction ids start anew
  cluster bigint not null,
  sealed_at timestamptz not null
);

-- Where the log begins now that older rows were dropped: the last seal of what is gone.
create table gatepost.audit_drops (
  position bigint primary key check (position > 0),
  hash bytea not null check (octet_length(hash) = 32),
  dropped_at timestamptz not null default clock_timestamp()
);

alter table gatepost.audit_log enable row level security;
alter table gatepost.audit_seals enable row level security;
alter table gatepost.audit_drops enable row level security;


-- A dropped range is the one thing that may go: what says so was written before, and stays.
create function gatepost.refuse_change() returns trigger
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
  raise exception 'the audit log is append-only' using errcode = 'GP403';
end;
$$;

create trigger append_only before update or delete on gatepost.audit_log
  for each row execute function gatepost.refuse_change();
create trigger append_only before update or delete on gatepost.audit_seals
  for each row execute function gatepost.refuse_change();
create trigger append_only before update or delete on gatepost.audit_drops
  for each row execute function gatepost.refuse_change();
create trigger never_emptied before truncate on gatepost.audit_log
  for each statement execute function gatepost.refuse_change();
create trigger never_emptied before truncate on gatepost.audit_seals
  for each statement execute function gatepost.refuse_change();
create trigger never_emptied before truncate on gatepost.audit_drops
  for each statement execute function gatepost.refuse_change();


-- Whoever writes a row chooses neither its number nor its time, so nothing can be slipped in before what is there.
create function gatepost.stamp_audit() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if new.id <> currval('gatepost.audit_log_id_seq') then
    raise exception 'the audit log is append-only' using errcode = 'GP403';
  end if;
  new.at := clock_timestamp();
  new.written_by := pg_current_xact_id();
  return new;
end;
$$;

create trigger stamp before insert on gatepost.audit_log
  for each row execute function gatepost.stamp_audit();


create function gatepost.note_audit(
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


-- Every session that is opened or ends is a row, whichever function or statement did it. Who did it for somebody else
-- says so beforehand, in the transaction's settings gatepost.actor, gatepost.reason and gatepost.ip. These two insert
-- by themselves rather than by note_audit: every sign-in pays for them.
create function gatepost.note_session_opened() returns trigger
language plpgsql set search_path = ''
as $$
begin
  insert into gatepost.audit_log (actor, action, target, ip, detail) values (
    'person:' || new.user_id, 'session.opened', 'session:' || new.id, new.ip,
    jsonb_build_object('person', new.user_id, 'kind', new.device_kind)
  );
  return null;
end;
$$;

create function gatepost.note_session_ended() returns trigger
language plpgsql set search_path = ''
as $$
begin
  insert into gatepost.audit_log (actor, action, target, reason, ip, detail) values (
    coalesce(nullif(current_setting('gatepost.actor', true), ''), 'person:' || new.ended_by, 'system'),
    'session.ended', 'session:' || new.id,
    nullif(current_setting('gatepost.reason', true), ''),
    nullif(current_setting('gatepost.ip', true), '')::inet,
    jsonb_build_object('person', new.user_id, 'end_reason', new.end_reason)
  );
  return null;
end;
$$;

create trigger note_opened after insert on gatepost.sessions
  for each row execute function gatepost.note_session_opened();
create trigger note_ended after update on gatepost.sessions
  for each row when (old.ended_at is null and new.ended_at is not null)
  execute function gatepost.note_session_ended();


-- Names who acts, for the rest of the transaction.
create function gatepost.act_as(p_actor text, p_reason text, p_ip inet) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  perform set_config('gatepost.actor', p_actor, true);
  perform set_config('gatepost.reason', coalesce(p_reason, ''), true);
  perform set_config('gatepost.ip', coalesce(host(p_ip), ''), true);
end;
$$;


revoke execute on all functions in schema gatepost from public;
