-- Rate limits, shared by all processes. A bucket lets a number of attempts through at once, and then one per interval:
-- so it slows an attacker down and never locks anyone out for longer than one interval.
--
-- Unlogged: an attack must not fill the write-ahead log, and counts may be lost in a crash.

create unlogged table gatepost.rate_limits (
  -- a MAC of what is limited, so that the table holds no email and no IP addresses
  key bytea primary key check (octet_length(key) = 16),
  -- when the bucket is empty again; attempts move it by one interval each. Not indexed, so that updates are HOT.
  empty_at timestamptz not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

alter table gatepost.rate_limits enable row level security;


-- Counts an attempt in several buckets and returns 0, or returns the seconds until the next attempt is allowed. Bucket i
-- lets p_amounts[i] attempts through at once, and then as many in p_seconds[i], evenly. The row locks make that hold for
-- parallel attempts, and are taken by key. An attempt that is rejected is usually not counted, and writes nothing.
create function gatepost.count_attempt(p_keys bytea[], p_amounts integer[], p_seconds integer[])
  returns double precision
language plpgsql volatile set search_path = ''
as $$
declare
  moment timestamptz := clock_timestamp();
  bucket record;
  longest interval;
begin
  select max(r.empty_at - moment - make_interval(secs => b.seconds - b.seconds::double precision / b.amount))
  into longest
  from unnest(p_keys, p_amounts, p_seconds) b (key, amount, seconds)
  join gatepost.rate_limits r on r.key = b.key;
  if longest > interval '0' then
    return extract(epoch from longest);
  end if;

  -- Nobody waits for the disk.
  perform set_config('synchronous_commit', 'off', true);
  for bucket in
    select b.key, make_interval(secs => b.seconds::double precision / b.amount) as step,
      make_interval(secs => b.seconds) as capacity
    from unnest(p_keys, p_amounts, p_seconds) b (key, amount, seconds)
    order by b.key
  loop
    insert into gatepost.rate_limits as r (key, empty_at) values (bucket.key, moment + bucket.step)
    on conflict (key) do update set empty_at = greatest(r.empty_at, moment) + bucket.step
      where r.empty_at - moment <= bucket.capacity - bucket.step;
    if not found then
      select r.empty_at - moment - (bucket.capacity - bucket.step) into longest
      from gatepost.rate_limits r where r.key = bucket.key;
      return greatest(extract(epoch from longest), 0.001);
    end if;
  end loop;
  return 0;
end;
$$;


-- Empties buckets. Rows are locked by key, as count_attempt() does.
create function gatepost.clear_attempts(p_keys bytea[]) returns void
language sql volatile set search_path = ''
as $$
  select set_config('synchronous_commit', 'off', true);
  delete from gatepost.rate_limits r
  using (select d.key from gatepost.rate_limits d where d.key = any (p_keys) order by d.key for update) found
  where r.key = found.key;
$$;


-- Deletes up to p_limit empty buckets, which are the same as none. Skips those that are in use.
create function gatepost.delete_empty_rate_limits(p_limit integer) returns void
language sql volatile set search_path = ''
as $$
  delete from gatepost.rate_limits r
  using (
    select d.key from gatepost.rate_limits d
    where d.empty_at < clock_timestamp()
    limit p_limit
    for update skip locked
  ) idle
  where r.key = idle.key;
$$;


revoke execute on all functions in schema gatepost from public;
