-- Delivery: batches, the unit that is handed to a transport in one request, under one idempotency key. A batch lives
-- until its outcome is known: once accepted it is deleted; if certainly rejected its emails go back to the queue; if
-- unknown, the same bytes are sent again under the same key for as long as the provider remembers the key. All times
-- are those of the database's clock.

-- A transport: its rate limit, shared by all workers, and its current error.
create table gatepost.email_transports (
  name text primary key,
  -- null: no limit
  requests_per_second double precision check (requests_per_second > 0),
  next_send_at timestamptz not null default '-infinity',
  paused_until timestamptz not null default '-infinity',
  -- consecutive failed attempts
  failures integer not null default 0,
  error_code text,
  error_message text,
  error_since timestamptz,
  -- while there is an error: the batch whose outcome tells whether it persists
  probe_batch_id uuid,
  -- seconds by which the sending machine's clock is ahead of the provider's, if more than a minute
  clock_offset double precision,
  check ((error_code is null) = (error_message is null) and (error_code is null) = (error_since is null))
);

create table gatepost.email_batches (
  -- the idempotency key
  id uuid primary key default gen_random_uuid(),
  transport text not null references gatepost.email_transports,
  -- the worker that holds the lease, which ends at due_at; without a worker the batch is due at due_at
  worker uuid,
  due_at timestamptz not null,
  -- frozen at the first attempt, as is the time until which the provider remembers the key
  sender text,
  key_expires_at timestamptz,
  attempts integer not null default 0,
  -- an earlier attempt may have been accepted
  uncertain boolean not null default false,
  check ((attempts = 0) = (key_expires_at is null))
);

create index email_batches_due_idx on gatepost.email_batches (due_at);
create index email_batches_worker_idx on gatepost.email_batches (worker) where worker is not null;

alter table gatepost.emails
  add foreign key (batch_id) references gatepost.email_batches on delete set null;

alter table gatepost.email_transports enable row level security;
alter table gatepost.email_batches enable row level security;


-- Leases a batch to a worker for p_lease: one that is due again, else a new batch of due emails for the first transport
-- of the list that is not paused. p_max_emails is the largest batch of each transport. pause is in seconds: how long to
-- wait before sending the batch, or, without a batch, before asking again; null if nothing is due.
create function gatepost.lease_batch(
  p_worker uuid,
  p_lease interval,
  p_transports text[],
  p_max_emails integer[],
  out batch_id uuid,
  out transport text,
  out pause double precision
)
language plpgsql volatile set search_path = ''
as $$
declare
  due_again uuid;
  available record;
begin
  perform gatepost.expire_emails();
  select b.id, b.transport into due_again, transport
  from gatepost.email_batches b
  join gatepost.email_transports t on t.name = b.transport
  where b.due_at <= clock_timestamp() and (
    b.attempts = 0 or b.key_expires_at <= clock_timestamp()
    or b.transport = any (p_transports) and t.paused_until <= clock_timestamp()
  )
  order by b.due_at
  limit 1
  for update of b skip locked;
  if due_again is not null then
    pause := 0;
    if gatepost.resume_batch(due_again, p_worker, p_lease) then
      batch_id := due_again;
      pause := gatepost.reserve_send_time(transport, due_again);
    end if;
    return;
  end if;

  select t.name, p_max_emails[listed.position] as max_emails, t.next_send_at into available
  from unnest(p_transports) with ordinality listed (name, position)
  join gatepost.email_transports t using (name)
  where t.paused_until <= clock_timestamp()
  order by listed.position
  limit 1;
  if available.name is null then
    select extract(epoch from min(t.paused_until) - clock_timestamp()) into pause
    from gatepost.email_transports t where t.name = any (p_transports);
  elsif available.next_send_at > clock_timestamp() + interval '1 second' then
    -- Do not lease too far ahead: an email that is queued meanwhile may be more urgent.
    pause := extract(epoch from available.next_send_at - clock_timestamp()) - 0.5;
  else
    transport := available.name;
    batch_id := gatepost.create_batch(p_worker, p_lease, available.name, available.max_emails);
    pause := case when batch_id is not null then gatepost.reserve_send_time(available.name, batch_id) end;
  end if;
end;
$$;


-- Leases an existing batch again and returns true. Returns false if it cannot be sent: without an attempt its emails go
-- back to the queue; a batch that may have been sent is abandoned once the provider has forgotten the key or an email
-- of it has expired. The caller has locked the batch.
create function gatepost.resume_batch(p_id uuid, p_worker uuid, p_lease interval) returns boolean
language plpgsql volatile set search_path = ''
as $$
declare
  batch gatepost.email_batches;
begin
  select * into batch from gatepost.email_batches b where b.id = p_id;
  if batch.attempts = 0 then
    perform gatepost.requeue_batch(p_id, '0');
    return false;
  end if;
  if batch.key_expires_at <= clock_timestamp() or exists (
    select from gatepost.emails e where e.batch_id = p_id and e.expires_at <= clock_timestamp()
  ) then
    perform gatepost.abandon_batch(p_id, 'answer_lost');
    return false;
  end if;
  -- A worker that still holds the lease crashed or is too slow: its attempt may have been accepted.
  update gatepost.email_batches b
  set worker = p_worker, due_at = clock_timestamp() + p_lease, uncertain = b.uncertain or b.worker is not null
  where b.id = p_id;
  return true;
end;
$$;


-- Makes a batch of due emails, security emails first, then the oldest, and returns its id, or null if none is due. An
-- email that must be sent alone gets a batch of its own. Emails that expire share a batch only with others of the same
-- template, because the whole batch is abandoned when the first of them expires.
create function gatepost.create_batch(p_worker uuid, p_lease interval, p_transport text, p_max_emails integer)
  returns uuid
language plpgsql volatile set search_path = ''
as $$
declare
  first record;
  new_id uuid := gen_random_uuid();
  -- a variable, because an index cannot be used with the volatile clock_timestamp()
  due_before timestamptz := clock_timestamp();
begin
  select e.id, e.alone, e.template, e.expires_at into first
  from gatepost.emails e
  where e.status = 'queued' and e.due_at <= due_before
  order by e.security desc, e.due_at, e.id
  limit 1
  for update skip locked;
  if not found then
    return null;
  end if;

  insert into gatepost.email_batches (id, transport, worker, due_at)
  values (new_id, p_transport, p_worker, clock_timestamp() + p_lease);
  with due as (
    select e.id from gatepost.emails e
    where e.status = 'queued' and e.due_at <= due_before and (e.id = first.id or not (
      e.alone or first.alone or (e.expires_at is null) <> (first.expires_at is null)
      or (e.expires_at is not null and e.template <> first.template)
    ))
    order by e.security desc, e.due_at, e.id
    limit p_max_emails
    for update skip locked
  ), numbered as (
    select due.id, row_number() over () as position from due
  )
  update gatepost.emails e set status = 'sending', batch_id = new_id, position = numbered.position
  from numbered
  where e.id = numbered.id;
  perform gatepost.finish_emails(array[e.id], 'suppressed', 'suppressed_' || s.reason)
  from gatepost.emails e
  join gatepost.email_suppressions s on s.email = lower(e.recipient)
  where e.batch_id = new_id and gatepost.suppression_applies(s.reason, e.security);
  return new_id;
end;
$$;


-- Returns the time between two requests: a little more than the rate limit allows, because requests do not arrive as
-- evenly as they are sent.
create function gatepost.send_interval(p_requests_per_second double precision) returns interval
language sql immutable set search_path = ''
as $$
  select coalesce(interval '1.05 seconds' / p_requests_per_second, '0');
$$;


-- Reserves the next time at which the transport may send a request, and returns in how many seconds that is.
create function gatepost.reserve_send_time(p_transport text, p_batch_id uuid) returns double precision
language sql volatile set search_path = ''
as $$
  update gatepost.email_transports t
  set next_send_at = greatest(t.next_send_at, clock_timestamp()) + gatepost.send_interval(t.requests_per_second),
      -- While there is an error, this request probes whether it persists, and no other is sent meanwhile.
      paused_until = case
        when t.error_code is null then t.paused_until else clock_timestamp() + interval '30 seconds'
      end,
      probe_batch_id = case when t.error_code is not null then p_batch_id end
  where t.name = p_transport
  returning greatest(0, extract(epoch from
    t.next_send_at - gatepost.send_interval(t.requests_per_second) - clock_timestamp()
  ));
$$;


-- Freezes the content of a batch, counts the attempt and returns the emails to send, in one step before sending.
-- Returns no rows if the worker has lost its lease or no email is left. Expired emails are dropped before the first
-- attempt; later attempts repeat the first. p_key_lifetime is how long the provider remembers an idempotency key.
create function gatepost.freeze_batch(
  p_id uuid,
  p_worker uuid,
  p_sender text,
  p_key_lifetime interval,
  p_email_ids uuid[],
  p_subjects text[],
  p_payloads text[]
) returns setof gatepost.emails
language plpgsql volatile set search_path = ''
as $$
declare
  attempt integer;
begin
  -- An attempt that is lost in a crash would be repeated under another key.
  perform set_config('synchronous_commit', 'on', true);
  update gatepost.email_batches b
  set sender = coalesce(b.sender, p_sender), attempts = b.attempts + 1,
      key_expires_at = coalesce(b.key_expires_at, clock_timestamp() + p_key_lifetime)
  where b.id = p_id and b.worker = p_worker
  returning b.attempts into attempt;
  if not found then
    return;
  end if;

  update gatepost.emails e set subject = frozen.subject, payload = frozen.payload
  from unnest(p_email_ids, p_subjects, p_payloads) frozen (id, subject, payload)
  where e.id = frozen.id and e.payload is null;
  if attempt = 1 then
    perform gatepost.expire_emails(p_id);
  end if;
  return query
    update gatepost.emails e set attempts = e.attempts + 1 where e.batch_id = p_id returning e.*;
  if not found then
    delete from gatepost.email_batches b where b.id = p_id;
  end if;
end;
$$;


-- Gives up a worker's lease: a batch without an attempt goes back to the queue, any other is due again after p_delay.
create function gatepost.release_batch(p_id uuid, p_worker uuid, p_delay interval) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  attempts_made integer;
begin
  select b.attempts into attempts_made
  from gatepost.email_batches b where b.id = p_id and b.worker = p_worker
  for update;
  if attempts_made = 0 then
    perform gatepost.requeue_batch(p_id, p_delay);
  elsif attempts_made > 0 then
    update gatepost.email_batches b
    set worker = null, uncertain = true, due_at = clock_timestamp() + p_delay
    where b.id = p_id;
  end if;
end;
$$;


revoke execute on all functions in schema gatepost from public;
