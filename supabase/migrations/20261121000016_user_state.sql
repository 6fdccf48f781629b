-- The state of users: what ends when a user is disabled, loses the admin role or is deleted, whichever function or
-- statement does it. All of it is done by triggers, so that plain SQL counts as much as the API.
--
-- Lock order: the lock of the admins (before the statement), the user's row, the user's advisory lock, sessions by id.


-- Serializes the statements that can take the last admin away: of two admins who disable each other, one fails.
create function gatepost.lock_admins() returns trigger
language plpgsql set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('gatepost.admins', 0));
  return null;
end;
$$;

create trigger lock_admins before update of role, disabled_at or delete on gatepost.users
  for each statement execute function gatepost.lock_admins();


-- Raises GP060 last_admin if the statement left no enabled admin. Row triggers run after the whole statement.
create function gatepost.keep_last_admin() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if tg_op = 'TRUNCATE' or not exists (
    select from gatepost.users u where u.role = 'admin' and u.disabled_at is null
  ) then
    raise exception using errcode = 'GP060', message = 'last_admin';
  end if;
  return null;
end;
$$;

create trigger keep_last_admin_on_update after update of role, disabled_at on gatepost.users
  for each row when (
    old.role = 'admin' and old.disabled_at is null and (new.role <> 'admin' or new.disabled_at is not null)
  )
  execute function gatepost.keep_last_admin();
create trigger keep_last_admin_on_delete after delete on gatepost.users
  for each row when (old.role = 'admin' and old.disabled_at is null)
  execute function gatepost.keep_last_admin();
-- It would remove every admin, and run none of the triggers for rows.
create trigger no_truncate before truncate on gatepost.users
  for each statement execute function gatepost.keep_last_admin();


-- Writes an audit row about a user's state, or about what it ended, with the actor that set_actor() named.
create function gatepost.audit_state(p_action text, p_target text) returns void
language sql volatile set search_path = ''
as $$
  select gatepost.record_audit(
    coalesce(nullif(current_setting('gatepost.actor', true), ''), 'system'), p_action, p_target,
    nullif(current_setting('gatepost.reason', true), ''), nullif(current_setting('gatepost.ip', true), '')::inet
  );
$$;


-- Ends the sessions of a user who may no longer sign in. The functions for admins end them before, and record which of
-- them were idle.
create function gatepost.end_sessions_of(p_user_id uuid) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  perform gatepost.lock_sessions(p_user_id);
  update gatepost.sessions s
  set ended_at = clock_timestamp(), end_reason = 'signed_out_by_admin'
  from (
    select a.id from gatepost.sessions a where a.user_id = p_user_id and a.ended_at is null order by a.id for update
  ) active
  where s.id = active.id;
end;
$$;


-- Suspends the API keys of a user who is no longer an enabled admin. Only a take-over revives a key.
create function gatepost.suspend_api_keys(p_user_id uuid) returns void
language sql volatile set search_path = ''
as $$
  with suspended as (
    update gatepost.api_keys k set suspended_at = clock_timestamp()
    where k.owner_id = p_user_id and k.suspended_at is null and k.revoked_at is null
    returning k.id
  )
  select gatepost.audit_state('key.suspended', 'key:' || suspended.id) from suspended;
$$;


create function gatepost.apply_user_state() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if old.disabled_at is null and new.disabled_at is not null then
    perform gatepost.end_sessions_of(new.id);
    perform gatepost.audit_state('user.disabled', 'user:' || new.id);
  elsif old.disabled_at is not null and new.disabled_at is null then
    perform gatepost.audit_state('user.enabled', 'user:' || new.id);
  end if;
  if new.role <> 'admin' or new.disabled_at is not null then
    perform gatepost.suspend_api_keys(new.id);
  end if;
  return null;
end;
$$;

create trigger apply_state after update of role, disabled_at on gatepost.users
  for each row when (
    old.disabled_at is distinct from new.disabled_at or old.role is distinct from new.role
  )
  execute function gatepost.apply_user_state();


-- Ends and erases what a deleted user leaves: only ids, times and reasons stay. The suppression list stays too: it
-- belongs to the email address, which must not get email again because an account is gone.
create function gatepost.erase_user() returns trigger
language plpgsql set search_path = ''
as $$
begin
  perform gatepost.end_sessions_of(old.id);
  delete from gatepost.refresh_tokens t using gatepost.sessions s where s.id = t.session_id and s.user_id = old.id;
  update gatepost.sessions s
  set name = null, device_kind = 'unknown', browser = null, os = null, ip = null
  where s.user_id = old.id;

  update gatepost.emails e set erased_at = clock_timestamp()
  from (
    select m.id from gatepost.emails m
    where m.erased_at is null
      and (lower(m.recipient) collate "C" = lower(old.email) or m.notification ->> 'user_id' = old.id::text)
    order by m.id
    for update
  ) found
  where e.id = found.id;

  perform gatepost.suspend_api_keys(old.id);
  perform gatepost.audit_state('user.deleted', 'user:' || old.id);
  return null;
end;
$$;

create trigger erase after delete on gatepost.users
  for each row execute function gatepost.erase_user();


-- Erases an email whose recipient's account was deleted: before it is sent it is canceled, and while it is being sent
-- (its bytes may be needed for a retry) the erasure waits for the outcome.
create function gatepost.erase_email() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if new.status = 'queued' then
    new.status := 'canceled';
    new.batch_id := null;
  end if;
  -- A reserved name (RFC 2606): nothing can be sent to it.
  new.recipient := 'deleted@deleted.invalid';
  new.reply_to := null;
  new.variables := '{}';
  new.subject := null;
  new.payload := null;
  new.error_message := null;
  new.idempotency_key := null;
  new.request_hash := null;
  delete from gatepost.email_attachments a where a.email_id = new.id;
  update gatepost.email_events v set detail = v.detail - 'message'
  where v.email_id = new.id and v.detail ? 'message';
  return new;
end;
$$;

create trigger erase before update on gatepost.emails
  for each row when (new.erased_at is not null and new.status <> 'sending')
  execute function gatepost.erase_email();

-- An event that arrives later may name the email address again.
create function gatepost.erase_email_event() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if exists (
    select from gatepost.emails e where e.id = new.email_id and e.erased_at is not null and e.status <> 'sending'
  ) then
    new.detail := new.detail - 'message';
  end if;
  return new;
end;
$$;

create trigger erase_inserted before insert on gatepost.email_events
  for each row when (new.email_id is not null and new.detail ? 'message')
  execute function gatepost.erase_email_event();
create trigger erase_matched before update of email_id on gatepost.email_events
  for each row when (new.email_id is not null and new.detail ? 'message')
  execute function gatepost.erase_email_event();


-- Rejects a session of a disabled user, however it is opened. Raises GP062 user_disabled.
create function gatepost.reject_disabled_user() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if exists (select from gatepost.users u where u.id = new.user_id and u.disabled_at is not null) then
    raise exception using errcode = 'GP062', message = 'user_disabled';
  end if;
  return new;
end;
$$;

create trigger reject_disabled before insert on gatepost.sessions
  for each row execute function gatepost.reject_disabled_user();


revoke execute on all functions in schema gatepost from public;
