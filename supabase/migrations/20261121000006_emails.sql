-- Emails: the outbox (one row per message), the timeline of each message, and the suppressed addresses.

-- The built-in templates of the running release and their languages, so that SQL can tell which versions exist.
create table gatepost.builtin_templates (
  key text not null,
  locale text not null,
  -- Security emails are sent before all others, also to addresses that were suppressed by hand, and if they are not
  -- sent, that is audited.
  security boolean not null,
  primary key (key, locale)
);

create table gatepost.emails (
  id uuid primary key default gen_random_uuid(),
  -- Fixed when queued. Version 0 is the built-in template; null: the email was queued already rendered (a test).
  template text not null,
  version integer,
  locale text not null,
  recipient text not null,
  reply_to text,
  variables jsonb not null check (jsonb_typeof(variables) = 'object'),
  -- for notifications: {user_id, session_id?, session_ids?, link_id?, purpose?}; the values are looked up at rendering
  notification jsonb check (jsonb_typeof(notification) = 'object'),
  security boolean not null,
  -- The template contains secrets (gatepost.template_contains_secrets). The content is erased once it is settled, and
  -- never shown, except that of notifications, which holds placeholders.
  secret boolean not null default false,
  -- sent in a request of its own: it has attachments, or the provider rejected a batch that contained it
  alone boolean not null,
  queued_by text not null,
  idempotency_key text check (char_length(idempotency_key) between 1 and 300),
  request_hash bytea,
  resend_of uuid references gatepost.emails,
  created_at timestamptz not null default now(),
  send_at timestamptz,
  expires_at timestamptz,
  status text not null default 'queued' check (status in (
    'queued',      -- waits for due_at; shown as scheduled while send_at is in the future
    'sending',     -- in a batch: it may have been sent already
    'sent',        -- accepted by the transport; from here on the status only rises (gatepost.email_severity)
    'delayed', 'delivered', 'bounced', 'complained',
    'suppressed',  -- the address is on our suppression list or on the provider's
    'failed',      -- certainly not sent, and not retried
    'canceled', 'expired',
    'unknown'      -- may have been sent and cannot be repeated safely; an event of the provider may still settle it
  )),
  due_at timestamptz not null default now(),
  attempts integer not null default 0,
  -- Why the last attempt failed or the email was not sent: a code of ours (suppressed_*, opted_out, expired,
  -- answer_lost, retries_exhausted, rendering_failed) or of the transport, and the transport's or the provider's own
  -- text.
  error_code text,
  error_message text,
  -- Frozen when first leased: {to, subject, html, text, reply_to, tags} as the bytes to send.
  subject text,
  payload text,
  batch_id uuid,
  -- in its batch
  position smallint,
  provider text,
  provider_id text,
  -- when the recipient's account was deleted, and with it what this row says about them
  erased_at timestamptz,
  check (error_message is null or error_code is not null)
);

create unique index emails_idempotency_idx on gatepost.emails (queued_by, idempotency_key)
  where idempotency_key is not null;
create index emails_due_idx on gatepost.emails (security desc, due_at, id) where status = 'queued';
create index emails_expiring_idx on gatepost.emails (expires_at) where status = 'queued' and expires_at is not null;
create index emails_batch_idx on gatepost.emails (batch_id) where batch_id is not null;
create index emails_provider_idx on gatepost.emails (provider_id) where provider_id is not null;
-- For listing, each in the order of one index.
create index emails_created_idx on gatepost.emails (created_at, id);
create index emails_status_idx on gatepost.emails (status, created_at, id);
create index emails_template_idx on gatepost.emails (template, created_at, id);
create index emails_recipient_idx on gatepost.emails (lower(recipient) collate "C", created_at, id);

create table gatepost.email_attachments (
  email_id uuid not null references gatepost.emails on delete cascade,
  position smallint not null,
  filename text not null,
  content_type text not null,
  content bytea not null,
  primary key (email_id, position)
);

-- The timeline: our own steps, and each event of a provider once. email_id is null while the message is not known.
create table gatepost.email_events (
  id bigint generated always as identity primary key,
  email_id uuid references gatepost.emails on delete cascade,
  at timestamptz not null default clock_timestamp(),
  type text not null,
  -- {code, message?} for errors, as in emails.error_code and emails.error_message
  detail jsonb not null default '{}',
  provider_event_id text unique,
  provider_id text,
  received_at timestamptz not null default clock_timestamp()
);

create index email_events_email_idx on gatepost.email_events (email_id, at, id);
create index email_events_unmatched_idx on gatepost.email_events (provider_id) where email_id is null;

create table gatepost.email_suppressions (
  id uuid primary key default gen_random_uuid(),
  email text not null unique check (email = lower(email)),
  reason text not null check (reason in ('bounce', 'complaint', 'manual')),
  note text,
  email_id uuid references gatepost.emails on delete set null,
  created_at timestamptz not null default clock_timestamp(),
  created_by text not null
);

create index email_suppressions_created_idx on gatepost.email_suppressions (created_at, id);

alter table gatepost.builtin_templates enable row level security;
alter table gatepost.emails enable row level security;
alter table gatepost.email_attachments enable row level security;
alter table gatepost.email_events enable row level security;
alter table gatepost.email_suppressions enable row level security;


-- Adds a step to the timelines of some emails.
create function gatepost.record_email_event(p_email_ids uuid[], p_type text, p_detail jsonb default '{}') returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  insert into gatepost.email_events (email_id, type, detail)
  select each, p_type, p_detail from unnest(p_email_ids) each;
$$;


-- Returns whether the emails of a template contain codes or links that nobody but the recipient may see.
create function gatepost.template_contains_secrets(p_template text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (select from gatepost.builtin_templates b where b.key = p_template and b.security)
    or exists (select from gatepost.email_templates t where t.key = p_template and t.contains_secrets);
$$;


-- Returns whether a suppression for this reason keeps an email from being sent. A suppression that was made by hand
-- does not apply to security emails: it would silence the alarms of an account.
create function gatepost.suppression_applies(p_reason text, p_security boolean) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select not (p_security and p_reason = 'manual');
$$;


-- Marks a new email as suppressed if its recipient is on the suppression list or has turned such emails off.
create function gatepost.suppress_new_email() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  reason text;
begin
  select s.reason into reason from gatepost.email_suppressions s
  where s.email = lower(new.recipient) and gatepost.suppression_applies(s.reason, new.security);
  if found then
    new.status := 'suppressed';
    new.error_code := 'suppressed_' || reason;
  elsif not new.security and exists (
    select from gatepost.notification_opt_outs o
    join gatepost.users u on u.id = o.user_id
    where lower(u.email) = lower(new.recipient) and o.template = new.template
  ) then
    new.status := 'suppressed';
    new.error_code := 'opted_out';
  end if;
  return new;
end;
$$;

create trigger suppress_new before insert on gatepost.emails
  for each row execute function gatepost.suppress_new_email();


-- Adds the suppression of a new email to its timeline, and that of any security email to the audit log.
create function gatepost.record_suppression() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'INSERT' then
    perform gatepost.record_email_event(array[new.id], 'suppressed', jsonb_build_object('code', new.error_code));
    perform gatepost.erase_email_secrets(array[new.id]);
  end if;
  if new.security then
    perform gatepost.record_audit(
      'mail', 'email.suppressed', 'email:' || new.id, null, null, jsonb_build_object('template', new.template)
    );
  end if;
  return null;
end;
$$;

create trigger record_suppression_on_insert after insert on gatepost.emails
  for each row when (new.status = 'suppressed') execute function gatepost.record_suppression();
create trigger record_suppression_on_update after update of status on gatepost.emails
  for each row when (new.status = 'suppressed' and old.status <> 'suppressed')
  execute function gatepost.record_suppression();


-- Wakes the mail workers. NOTIFY makes commits wait for each other, so of several concurrent commits only one notifies;
-- emails of the others are found by the workers' next poll, within a second.
create function gatepost.wake_mail_workers() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if pg_try_advisory_xact_lock(hashtext('gatepost.wake_mail_workers')) then
    notify gatepost_emails;
  end if;
  return null;
end;
$$;

create constraint trigger wake_workers after insert on gatepost.emails deferrable initially deferred
  for each row when (new.status = 'queued' and new.send_at is null) execute function gatepost.wake_mail_workers();


revoke execute on all functions in schema gatepost from public;
