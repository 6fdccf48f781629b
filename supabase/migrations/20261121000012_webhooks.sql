-- The end of a session reaches everybody who wants to know: every process by its id, once its transaction is committed,
-- and the product's own URL by a delivery that commits together with it.

-- Where webhooks go, as long as the settings of whoever started last name it.
create table gatepost.webhooks (
  url text primary key
);

-- An end of which the receiver has not said that it knows. Delivered or given up, the row is deleted.
create table gatepost.webhook_deliveries (
  -- the webhook-id, the same over all tries
  id uuid primary key default gen_random_uuid(),
  session_id uuid not null references gatepost.sessions on delete cascade,
  created_at timestamptz not null default clock_timestamp(),
  -- who has it in hand, and until when; without a worker, when it is due
  worker uuid,
  due_at timestamptz not null default clock_timestamp(),
  tries integer not null default 0
);

create index webhook_deliveries_due_idx on gatepost.webhook_deliveries (due_at);
create index webhook_deliveries_session_idx on gatepost.webhook_deliveries (session_id);
create index webhook_deliveries_worker_idx on gatepost.webhook_deliveries (worker) where worker is not null;

alter table gatepost.webhooks enable row level security;
alter table gatepost.webhook_deliveries enable row level security;


-- A row at a time: a statement's transition tables would be filled by every note of activity too, and joined by a plan
-- that was made for one row.
create function gatepost.tell_of_end() returns trigger
language plpgsql set search_path = ''
as $$
begin
  insert into gatepost.webhook_deliveries (session_id)
  select new.id where exists (select from gatepost.webhooks);
  perform pg_notify('gatepost_session_ends', new.id::text);
  return null;
end;
$$;

create trigger told after update of ended_at on gatepost.sessions
  for each row when (old.ended_at is null and new.ended_at is not null) execute function gatepost.tell_of_end();

create index sessions_ended_at_idx on gatepost.sessions (ended_at) where ended_at is not null;


-- Hands a worker one delivery that is due, with its session, until p_lease is over.
create function gatepost.lease_webhook(p_worker uuid, p_lease interval)
  returns table (delivery gatepost.webhook_deliveries, session gatepost.sessions)
language plpgsql volatile set search_path = ''
as $$
declare
  -- in a variable an index can use it
  now_is timestamptz := clock_timestamp();
begin
  return query
    update gatepost.webhook_deliveries d
    set worker = p_worker, due_at = now_is + p_lease, tries = d.tries + 1
    from gatepost.sessions s
    where s.id = d.session_id and d.id = (
      select w.id from gatepost.webhook_deliveries w
      where w.due_at <= now_is
      order by w.due_at
      limit 1
      for update skip locked
    )
    returning d, s;
end;
$$;


-- Settles a try that came to nothing: the next is due after a while; one that is older than p_patience is given up, and
-- true is returned. Nothing changes where somebody else has it in hand by now.
create function gatepost.defer_webhook(p_id uuid, p_worker uuid, p_delay interval, p_patience interval) returns boolean
language plpgsql volatile set search_path = ''
as $$
begin
  delete from gatepost.webhook_deliveries d
  where d.id = p_id and d.worker = p_worker and d.created_at + p_patience <= clock_timestamp();
  if found then
    return true;
  end if;
  update gatepost.webhook_deliveries d
  set worker = null, due_at = least(clock_timestamp() + p_delay, d.created_at + p_patience)
  where d.id = p_id and d.worker = p_worker;
  return false;
end;
$$;


revoke execute on all functions in schema gatepost from public;
