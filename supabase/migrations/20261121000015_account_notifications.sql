-- Account notifications: a new admin, a new API key and another email address are reported whatever made the change: the
-- API, a command, a setting, or plain SQL.

-- Notifies all admins, by id so that concurrent transactions lock in one order. Returns nothing.
create function gatepost.notify_admins(p_template text, p_about jsonb) returns void
language sql volatile set search_path = ''
as $$
  select gatepost.queue_notification(p_template, a.id, p_about)
  from (select u.id from gatepost.users u where u.role = 'admin' and u.disabled_at is null order by u.id) a;
$$;


-- Tells a new admin and all others.
create function gatepost.notify_admin_added() returns trigger
language plpgsql set search_path = ''
as $$
begin
  perform gatepost.notify_admins('admin-added', jsonb_build_object('account_id', new.id));
  return null;
end;
$$;

create trigger notify_admin_inserted after insert on gatepost.users
  for each row when (new.role = 'admin') execute function gatepost.notify_admin_added();
create trigger notify_admin_added after update of role on gatepost.users
  for each row when (new.role = 'admin' and old.role <> 'admin') execute function gatepost.notify_admin_added();


-- Tells all admins of a new API key, the one who created it as well.
create function gatepost.notify_api_key_created() returns trigger
language plpgsql set search_path = ''
as $$
begin
  perform gatepost.notify_admins('api-key-created', jsonb_build_object('api_key_id', new.id));
  return null;
end;
$$;

create trigger notify_created after insert on gatepost.api_keys
  for each row execute function gatepost.notify_api_key_created();


-- Another email address is not confirmed, unless the same statement says so.
create function gatepost.unconfirm_changed_email() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if new.email_verified_at is not distinct from old.email_verified_at then
    new.email_verified_at := null;
  end if;
  return new;
end;
$$;

create trigger unconfirm_changed_email before update of email on gatepost.users
  for each row when (lower(new.email) <> lower(old.email)) execute function gatepost.unconfirm_changed_email();


-- Records that a user's email address changed, ends all links that were sent to the old one, and tells the old one, if
-- it was confirmed: there the owner of the account learns of it.
create function gatepost.report_changed_email() returns trigger
language plpgsql set search_path = ''
as $$
begin
  update gatepost.links l set expires_at = clock_timestamp()
  where l.user_id = new.id and l.used_at is null and l.expires_at > clock_timestamp();
  perform gatepost.record_audit(
    coalesce(nullif(current_setting('gatepost.actor', true), ''), 'system'),
    'email.changed', 'user:' || new.id,
    nullif(current_setting('gatepost.reason', true), ''),
    nullif(current_setting('gatepost.ip', true), '')::inet
  );
  if old.email_verified_at is not null then
    perform gatepost.queue_notification('email-changed', new.id, p_to => old.email);
  end if;
  return null;
end;
$$;

create trigger report_changed_email after update of email on gatepost.users
  for each row when (lower(new.email) <> lower(old.email)) execute function gatepost.report_changed_email();


revoke execute on all functions in schema gatepost from public;
