-- Webhooks: the end of a session is published to every process by NOTIFY when its transaction commits, and to the
-- application's URL by a delivery that is committed together with it.

-- The webhook URLs; each start writes the one in its settings.
create table gatepost.webhooks (
  url text primary key
);

-- Ended sessions that the receiver has not acknowledged. A row is deleted once it is delivered or given up.
create table gatepost.webhook_deliveries (
  -- the webhook-id header, the same for all attempts
  id uuid primary key default gen_random_uuid(),
  session_id uuid not null references gatepost.sessions on delete cascade,
  created_at timestamptz not null default clock_timestamp(),
  -- the worker that holds the lease, which ends at due_at; without a worker the delivery is due at due_at
  worker uuid,
  due_at timestamptz not null default clock_timestamp(),
  attempts integer not null default 0
);

create index webhook_deliveries_due_idx on gatepost.webhook_deliveries (due_at);
create index webhook_deliveries_session_idx on gatepost.webhook_deliveries (session_id);
create index webhook_deliveries_worker_idx on gatepost.webhook_deliveries (worker) where worker is not null;

create index sessions_ended_at_idx on gatepost.sessions (ended_at) where ended_at is not null;

alter table gatepost.webhooks enable row level security;
alter table gatepost.webhook_deliveries enable row level security;


-- Queues the webhook and notifies every process when a session ends. A row trigger, because the transition tables of a
-- statement trigger would be filled by every recorded activity too, and joined by a plan that was made for one row.
create function gatepost.notify_session_ended() returns trigger
language plpgsql set search_path = ''
as $$
begin
  insert into gatepost.webhook_deliveries (session_id)
  select new.id where exists (select from gatepost.webhooks);
  perform pg_notify('gatepost_session_ended', new.id::text);
  return null;
end;
$$;

create trigger notify_ended after update of ended_at on gatepost.sessions
  for each row when (old.ended_at is null and new.ended_at is not null)
  execute function gatepost.notify_session_ended();


-- Leases one due delivery to a worker for p_lease and returns it with its session.
create function gatepost.lease_webhook_delivery(p_worker uuid, p_lease interval)
  returns table (delivery gatepost.webhook_deliveries, session gatepost.sessions)
language plpgsql volatile set search_path = ''
as $$
declare
  -- a variable, because an index cannot be used with the volatile clock_timestamp()
  due_before timestamptz := clock_timestamp();
begin
  return query
    update gatepost.webhook_deliveries d
    set worker = p_worker, due_at = due_before + p_lease, attempts = d.attempts + 1
    from gatepost.sessions s
    where s.id = d.session_id and d.id = (
      select w.id from gatepost.webhook_deliveries w
      where w.due_at <= due_before
      order by w.due_at
      limit 1
      for update skip locked
    )
    returning d, s;
end;
$$;


-- Settles a failed attempt: the next is due after p_delay. A delivery older than p_max_age is given up instead, and
-- true is returned. Does nothing if the worker has lost its lease.
create function gatepost.defer_webhook_delivery(p_id uuid, p_worker uuid, p_delay interval, p_max_age interval)
  returns boolean
language plpgsql volatile set search_path = ''
as $$
begin
  delete from gatepost.webhook_deliveries d
  where d.id = p_id and d.worker = p_worker and d.created_at + p_max_age <= clock_timestamp();
  if found then
    return true;
  end if;
  update gatepost.webhook_deliveries d
  set worker = null, due_at = least(clock_timestamp() + p_delay, d.created_at + p_max_age)
  where d.id = p_id and d.worker = p_worker;
  return false;
end;
$$;


revoke execute on all functions in schema gatepost from public;
