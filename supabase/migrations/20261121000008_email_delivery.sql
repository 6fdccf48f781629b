-- Dispatches: what is handed to a transport at once, under one idempotency key. A dispatch lives as long as its fate is
-- open: accepted, it is deleted; surely refused, its messages wait for another; of unknown fate, the same bytes go out
-- again under the same key, as long as the provider remembers it. Every moment is the database's clock's.

-- A way out: the pace that its provider allows, shared by all workers, and what is wrong with it.
create table gatepost.email_transports (
  name text primary key,
  -- requests a second; null: as many as one likes
  pace double precision check (pace > 0),
  next_slot timestamptz not null default '-infinity',
  paused_until timestamptz not null default '-infinity',
  -- tries in a row that came to nothing
  failures integer not null default 0,
  trouble_code text,
  trouble_words text,
  trouble_since timestamptz,
  -- in trouble, the dispatch that tells whether it is over
  probe uuid,
  -- seconds by which the clock of the machine that sends is ahead of the provider's, where it is more than a minute
  clock_off double precision,
  check ((trouble_code is null) = (trouble_words is null) and (trouble_code is null) = (trouble_since is null))
);

create table gatepost.email_dispatches (
  -- the idempotency key
  id uuid primary key default gen_random_uuid(),
  transport text not null references gatepost.email_transports,
  -- who has it in hand, and until when; without a worker, when it is due again
  worker uuid,
  due_at timestamptz not null,
  -- frozen with the first try, and so is until when the provider knows the key
  sender text,
  forgotten_at timestamptz,
  tries integer not null default 0,
  -- an earlier try may have been accepted
  uncertain boolean not null default false,
  check ((tries = 0) = (forgotten_at is null))
);

create index email_dispatches_due_idx on gatepost.email_dispatches (due_at);
create index email_dispatches_worker_idx on gatepost.email_dispatches (worker) where worker is not null;

alter table gatepost.emails
  add foreign key (dispatch_id) references gatepost.email_dispatches on delete set null;

alter table gatepost.email_transports enable row level security;
alter table gatepost.email_dispatches enable row level security;


-- Hands a worker one dispatch until p_lease is over: one that is due again, else a new one of messages that are due, by
-- the first transport of the list without trouble. `pause` (seconds): how long to wait before sending it, or without a
-- dispatch before asking again; null where nothing is due.
create function gatepost.lease_dispatch(
  p_worker uuid,
  p_lease interval,
  p_transports text[],
  p_most integer[],
  out dispatch_id uuid,
  out transport text,
  out pause double precision
)
language plpgsql volatile set search_path = ''
as $$
declare
  due_again uuid;
  way record;
begin
  perform gatepost.expire_emails();
  select d.id, d.transport into due_again, transport
  from gatepost.email_dispatches d
  join gatepost.email_transports t on t.name = d.transport
  where d.due_at <= clock_timestamp() and (
    d.tries = 0 or d.forgotten_at <= clock_timestamp()
    or d.transport = any (p_transports) and t.paused_until <= clock_timestamp()
  )
  order by d.due_at
  limit 1
  for update of d skip locked;
  if due_again is not null then
    pause := 0;
    if gatepost.resume_dispatch(due_again, p_worker, p_lease) then
      dispatch_id := due_again;
      pause := gatepost.take_slot(transport, due_again);
    end if;
    return;
  end if;

  select t.name, p_most[listed.place] as most, t.next_slot into way
  from unnest(p_transports) with ordinality listed (name, place)
  join gatepost.email_transports t using (name)
  where t.paused_until <= clock_timestamp()
  order by listed.place
  limit 1;
  if way.name is null then
    select extract(epoch from min(t.paused_until) - clock_timestamp()) into pause
    from gatepost.email_transports t where t.name = any (p_transports);
  elsif way.next_slot > clock_timestamp() + interval '1 second' then
    -- Enough is on its way; what comes meanwhile may be more urgent.
    pause := extract(epoch from way.next_slot - clock_timestamp()) - 0.5;
  else
    transport := way.name;
    dispatch_id := gatepost.form_dispatch(p_worker, p_lease, way.name, way.most);
    pause := case when dispatch_id is not null then gatepost.take_slot(way.name, dispatch_id) end;
  end if;
end;
$$;


-- Takes a dispatch up again; false where that cannot be: what was never tried goes back to the queue, and what may have
-- gone out is given up once the provider has forgotten the key or a message's time is over.
create function gatepost.resume_dispatch(p_id uuid, p_worker uuid, p_lease interval) returns boolean
language plpgsql volatile set search_path = ''
as $$
declare
  there gatepost.email_dispatches;
begin
  select * into there from gatepost.email_dispatches d where d.id = p_id;
  if there.tries = 0 then
    perform gatepost.release_dispatch(p_id, '0');
    return false;
  end if;
  if there.forgotten_at <= clock_timestamp() or exists (
    select from gatepost.emails e where e.dispatch_id = p_id and e.expires_at <= clock_timestamp()
  ) then
    perform gatepost.give_up_dispatch(p_id, 'unanswered', 'It may have been sent, but the answer was lost, and by now it '
      'might go out twice or too late. Look at the provider''s log, or send it again.');
    return false;
  end if;
  -- Whoever had it in hand has died, or is too slow: the try may have been accepted.
  update gatepost.email_dispatches d
  set worker = p_worker, due_at = clock_timestamp() + p_lease, uncertain = d.uncertain or d.worker is not null
  where d.id = p_id;
  return true;
end;
$$;


-- Makes a dispatch of messages that are due: security mail first, then the oldest. What goes alone goes alone; messages
-- that expire share a request with those of their own template, for all of it is given up when the first is over.
create function gatepost.form_dispatch(p_worker uuid, p_lease interval, p_transport text, p_most integer) returns uuid
language plpgsql volatile set search_path = ''
as $$
declare
  first record;
  new_id uuid := gen_random_uuid();
  -- in a variable an index can use it
  now_is timestamptz := clock_timestamp();
begin
  select e.id, e.alone, e.template, e.expires_at into first
  from gatepost.emails e
  where e.status = 'queued' and e.due_at <= now_is
  order by e.security desc, e.due_at, e.id
  limit 1
  for update skip locked;
  if not found then
    return null;
  end if;

  insert into gatepost.email_dispatches (id, transport, worker, due_at)
  values (new_id, p_transport, p_worker, clock_timestamp() + p_lease);
  with due as (
    select e.id from gatepost.emails e
    where e.status = 'queued' and e.due_at <= now_is and (e.id = first.id or not (
      e.alone or first.alone or (e.expires_at is null) <> (first.expires_at is null)
      or (e.expires_at is not null and e.template <> first.template)
    ))
    order by e.security desc, e.due_at, e.id
    limit p_most
    for update skip locked
  ), placed as (
    select due.id, row_number() over () as place from due
  )
  update gatepost.emails e set status = 'sending', dispatch_id = new_id, place = placed.place
  from placed
  where e.id = placed.id;
  perform gatepost.end_emails(array[e.id], 'suppressed', s.reason, gatepost.suppression_words(s.reason))
  from gatepost.emails e
  join gatepost.email_suppressions s on s.email = lower(e.recipient)
  where e.dispatch_id = new_id;
  return new_id;
end;
$$;


-- How far apart requests go out. A little slower than the pace: they do not arrive as evenly as they leave.
create function gatepost.slot_length(p_pace double precision) returns interval
language sql immutable set search_path = ''
as $$
  select coalesce(interval '1.05 seconds' / p_pace, '0');
$$;


-- Takes the next moment at which a request may go out, and says in how many seconds that is.
create function gatepost.take_slot(p_transport text, p_dispatch_id uuid) returns double precision
language sql volatile set search_path = ''
as $$
  update gatepost.email_transports t
  set next_slot = greatest(t.next_slot, clock_timestamp()) + gatepost.slot_length(t.pace),
      -- In trouble, one request tells whether it is over.
      paused_until = case when t.trouble_code is null then t.paused_until else clock_timestamp() + interval '30 seconds' end,
      probe = case when t.trouble_code is not null then p_dispatch_id end
  where t.name = p_transport
  returning greatest(0, extract(epoch from
    t.next_slot - gatepost.slot_length(t.pace) - clock_timestamp()
  ));
$$;


-- Freezes what goes out and marks the try, in one step before it; returns the messages that go, and none where the worker
-- has lost its lease. Messages whose time is over drop out of a first try; a later one repeats the first.
create function gatepost.freeze_dispatch(
  p_id uuid,
  p_worker uuid,
  p_sender text,
  p_remembers interval,
  p_email_ids uuid[],
  p_subjects text[],
  p_payloads text[]
) returns setof gatepost.emails
language plpgsql volatile set search_path = ''
as $$
declare
  nth integer;
begin
  -- A try that is forgotten in a crash would be made again under another key.
  perform set_config('synchronous_commit', 'on', true);
  update gatepost.email_dispatches d
  set sender = coalesce(d.sender, p_sender), tries = d.tries + 1,
      forgotten_at = coalesce(d.forgotten_at, clock_timestamp() + p_remembers)
  where d.id = p_id and d.worker = p_worker
  returning d.tries into nth;
  if not found then
    return;
  end if;

  update gatepost.emails e set subject = frozen.subject, payload = frozen.payload
  from unnest(p_email_ids, p_subjects, p_payloads) frozen (id, subject, payload)
  where e.id = frozen.id and e.payload is null;
  if nth = 1 then
    perform gatepost.expire_emails(p_id);
  end if;
  return query
    update gatepost.emails e set attempts = e.attempts + 1 where e.dispatch_id = p_id returning e.*;
  if not found then
    delete from gatepost.email_dispatches d where d.id = p_id;
  end if;
end;
$$;


-- Puts down what a worker has in hand: what was not tried goes back to the queue, what was is repeated after a while.
create function gatepost.put_back_dispatch(p_id uuid, p_worker uuid, p_delay interval) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  tries integer;
begin
  select d.tries into tries from gatepost.email_dispatches d where d.id = p_id and d.worker = p_worker for update;
  if tries = 0 then
    perform gatepost.release_dispatch(p_id, p_delay);
  elsif tries > 0 then
    update gatepost.email_dispatches d
    set worker = null, uncertain = true, due_at = clock_timestamp() + p_delay
    where d.id = p_id;
  end if;
end;
$$;


revoke execute on all functions in schema gatepost from public;
