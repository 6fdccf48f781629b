-- E-mails: the outbox (a row a message), what became of each, and who is not written to any more.

-- The languages that the built-in templates speak in the running release, so that SQL alone can tell which words count.
create table gatepost.builtin_templates (
  key text not null,
  locale text not null,
  -- such mail overtakes the rest, and is never suppressed silently
  security boolean not null,
  primary key (key, locale)
);

create table gatepost.emails (
  id uuid primary key default gen_random_uuid(),
  -- Fixed at queueing. Version 0 is the built-in words; null: they came along, rendered (the test of a draft).
  template text not null,
  version integer,
  locale text not null,
  recipient text not null,
  reply_to text,
  variables jsonb not null check (jsonb_typeof(variables) = 'object'),
  -- what a notice of ours tells of: {person, session?, sessions?, link?, purpose?}; its values come in at rendering
  notice jsonb check (jsonb_typeof(notice) = 'object'),
  security boolean not null,
  -- sent by itself: it has attachments, or the batch it was in was refused
  alone boolean not null,
  queued_by text not null,
  idempotency_key text check (char_length(idempotency_key) between 1 and 300),
  request_hash bytea,
  resend_of uuid references gatepost.emails,
  created_at timestamptz not null default now(),
  send_at timestamptz,
  expires_at timestamptz,
  status text not null default 'queued' check (status in (
    'queued',      -- waits for due_at; with a send_at to come people call it scheduled
    'sending',     -- in a dispatch: it may have gone out, or be about to
    'sent',        -- the transport has accepted it; from here on status only rises (gatepost.email_severity)
    'delayed', 'delivered', 'bounced', 'complained',
    'suppressed',  -- the address is not written to any more, says our list or the provider's
    'failed',      -- surely not sent, and not tried again
    'canceled', 'expired',
    'unknown'      -- may have been sent, and cannot be repeated harmlessly; an event of the provider may tell
  )),
  due_at timestamptz not null default now(),
  attempts integer not null default 0,
  last_error text,
  -- Frozen at the first lease: {to, subject, html, text, reply_to, tags} as the bytes that go out.
  subject text,
  payload text,
  dispatch_id uuid,
  place smallint,
  provider text,
  provider_id text
);

create unique index emails_idempotency_idx on gatepost.emails (queued_by, idempotency_key)
  where idempotency_key is not null;
create index emails_due_idx on gatepost.emails (security desc, due_at, id) where status = 'queued';
create index emails_expiring_idx on gatepost.emails (expires_at) where status = 'queued' and expires_at is not null;
create index emails_dispatch_idx on gatepost.emails (dispatch_id) where dispatch_id is not null;
create index emails_provider_idx on gatepost.emails (provider_id) where provider_id is not null;
-- For lists, each in the order of an index.
create index emails_created_idx on gatepost.emails (created_at, id);
create index emails_status_idx on gatepost.emails (status, created_at, id);
create index emails_template_idx on gatepost.emails (template, created_at, id);
create index emails_recipient_idx on gatepost.emails (lower(recipient) collate "C", created_at, id);

create table gatepost.email_attachments (
  email_id uuid not null references gatepost.emails on delete cascade,
  place smallint not null,
  filename text not null,
  content_type text not null,
  content bytea not null,
  primary key (email_id, place)
);

-- The timeline: our own steps, and each event of a provider once. Without email_id: of a message not known yet.
create table gatepost.email_events (
  id bigint generated always as identity primary key,
  email_id uuid references gatepost.emails on delete cascade,
  at timestamptz not null default clock_timestamp(),
  type text not null,
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


-- Writes a step into the timelines of some messages.
create function gatepost.note_email_event(p_email_ids uuid[], p_type text, p_detail jsonb default '{}') returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  insert into gatepost.email_events (email_id, type, detail)
  select each, p_type, p_detail from unnest(p_email_ids) each;
$$;


-- A message to an address that is not written to any more, or to somebody who does not want it, says so from the start.
create function gatepost.suppress_new_email() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  why text;
begin
  select s.reason into why from gatepost.email_suppressions s where s.email = lower(new.recipient);
  if found then
    new.status := 'suppressed';
    new.last_error := gatepost.suppression_words(why);
  elsif not new.security and exists (
    select from gatepost.unwanted_mail w
    join gatepost.users u on u.id = w.user_id
    where lower(u.email) = lower(new.recipient) and w.template = new.template
  ) then
    new.status := 'suppressed';
    new.last_error := 'This person has turned such mail off.';
  end if;
  return new;
end;
$$;

create trigger suppressed before insert on gatepost.emails
  for each row execute function gatepost.suppress_new_email();


create function gatepost.suppression_words(p_reason text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select 'Nothing is sent to this address: ' || case p_reason
    when 'bounce' then 'mail to it bounced.'
    when 'complaint' then 'its owner marked mail of ours as spam.'
    else 'staff put it on the list.'
  end || ' Remove it from the suppressions if that is over.';
$$;


-- Security mail that reaches nobody is told in the audit log as well.
create function gatepost.tell_of_suppression() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'INSERT' then
    perform gatepost.note_email_event(array[new.id], 'suppressed', jsonb_build_object('words', new.last_error));
  end if;
  if new.security then
    perform gatepost.note_audit(
      'mail', 'email.suppressed', 'email:' || new.id, null, null, jsonb_build_object('template', new.template)
    );
  end if;
  return null;
end;
$$;

create trigger told_when_new after insert on gatepost.emails
  for each row when (new.status = 'suppressed') execute function gatepost.tell_of_suppression();
create trigger told_when_suppressed after update of status on gatepost.emails
  for each row when (new.status = 'suppressed' and old.status <> 'suppressed')
  execute function gatepost.tell_of_suppression();


-- Wakes the workers. NOTIFY makes commits wait for each other, so of those that commit at one time one alone does it;
-- whoever is not heard is found by the workers' next look, within a second.
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

create constraint trigger wakes after insert on gatepost.emails deferrable initially deferred
  for each row when (new.status = 'queued' and new.send_at is null) execute function gatepost.wake_mail_workers();


revoke execute on all functions in schema gatepost from public;
