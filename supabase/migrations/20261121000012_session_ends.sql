-- The end of a session reaches every process that wants to know, by id, once its transaction is committed.

create function gatepost.tell_of_end() returns trigger
language plpgsql set search_path = ''
as $$
begin
  perform pg_notify('gatepost_session_ends', new.id::text);
  return null;
end;
$$;

create trigger told after update of ended_at on gatepost.sessions
  for each row when (old.ended_at is null and new.ended_at is not null) execute function gatepost.tell_of_end();

create index sessions_ended_at_idx on gatepost.sessions (ended_at) where ended_at is not null;

revoke execute on all functions in schema gatepost from public;
