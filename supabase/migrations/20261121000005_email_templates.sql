-- E-mail templates: drafts that change, versions that never do, and which version counts in each language.

create table gatepost.email_templates (
  key text primary key check (key ~ '^[a-z][a-z0-9-]{0,62}$'),
  builtin boolean not null,
  name text not null,
  description text not null,
  -- values to look at it with, by whoever edits it
  samples jsonb not null default '{}' check (jsonb_typeof(samples) = 'object'),
  created_at timestamptz not null default now(),
  -- A deleted one keeps its row and its versions: mail that was sent by them can still say what it was.
  deleted_at timestamptz
);

-- One language of a template. A source is {subject, preheader, html, text, variables}.
create table gatepost.email_template_locales (
  key text not null references gatepost.email_templates,
  locale text not null check (char_length(locale) between 2 and 20),
  draft jsonb check (jsonb_typeof(draft) = 'object'),
  diagnostics jsonb not null default '[]',
  -- changes with each save
  draft_tag uuid,
  published_version integer,
  updated_at timestamptz not null default now(),
  updated_by text not null,
  primary key (key, locale),
  check ((draft is null) = (draft_tag is null))
);

create table gatepost.email_template_versions (
  key text not null,
  locale text not null,
  version integer not null check (version > 0),
  source jsonb not null,
  -- what the renderer compiles: {subject, html, text} with the layout around it and its styles in place
  prepared jsonb not null,
  published_at timestamptz not null default now(),
  published_by text not null,
  primary key (key, locale, version),
  foreign key (key, locale) references gatepost.email_template_locales
);

alter table gatepost.email_templates enable row level security;
alter table gatepost.email_template_locales enable row level security;
alter table gatepost.email_template_versions enable row level security;


create function gatepost.refuse_version_change() returns trigger
language plpgsql set search_path = ''
as $$
begin
  raise exception 'a published version never changes' using errcode = 'GP403';
end;
$$;

create trigger immutable before update or delete on gatepost.email_template_versions
  for each row execute function gatepost.refuse_version_change();
create trigger never_emptied before truncate on gatepost.email_template_versions
  for each statement execute function gatepost.refuse_version_change();


-- Saves a draft. GP409 where the tag of what it was made from is no longer the one that stands: a draft's own, else v and
-- the number of the published version, 0 without one. Null stands for whatever is published, as long as there is no draft.
create function gatepost.save_template_draft(
  p_key text,
  p_locale text,
  p_tag text,
  p_draft jsonb,
  p_diagnostics jsonb,
  p_action text,
  p_actor text,
  p_ip inet
) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  draft_tag uuid;
  published integer;
begin
  perform from gatepost.email_templates t where t.key = p_key and t.deleted_at is null for update;
  if not found then
    raise exception 'no such template' using errcode = 'GP404';
  end if;
  select l.draft_tag, l.published_version into draft_tag, published
  from gatepost.email_template_locales l where l.key = p_key and l.locale = p_locale;
  if draft_tag is not null and p_tag is null
    or p_tag <> coalesce(draft_tag::text, 'v' || coalesce(published, 0)) then
    raise exception 'the draft was changed meanwhile' using errcode = 'GP409';
  end if;

  insert into gatepost.email_template_locales as l (key, locale, draft, diagnostics, draft_tag, updated_by)
  values (p_key, p_locale, p_draft, p_diagnostics, gen_random_uuid(), p_actor)
  on conflict (key, locale) do update
  set draft = excluded.draft, diagnostics = excluded.diagnostics, draft_tag = excluded.draft_tag,
      updated_at = clock_timestamp(), updated_by = excluded.updated_by;

  perform gatepost.note_audit(p_actor, p_action, 'template:' || p_key, null, p_ip, jsonb_build_object('locale', p_locale));
end;
$$;


-- Makes the draft of that tag the next version and returns its number; there is no draft then. GP409 where the draft is
-- another by now.
create function gatepost.publish_template(
  p_key text,
  p_locale text,
  p_tag uuid,
  p_prepared jsonb,
  p_actor text,
  p_ip inet
) returns integer
language plpgsql volatile set search_path = ''
as $$
declare
  words jsonb;
  number integer;
begin
  select l.draft into words from gatepost.email_template_locales l
  where l.key = p_key and l.locale = p_locale and l.draft_tag = p_tag
  for update;
  if not found then
    raise exception 'the draft was changed meanwhile' using errcode = 'GP409';
  end if;

  insert into gatepost.email_template_versions (key, locale, version, source, prepared, published_by)
  select p_key, p_locale, coalesce(max(v.version), 0) + 1, words, p_prepared, p_actor
  from gatepost.email_template_versions v
  where v.key = p_key and v.locale = p_locale
  returning version into number;

  update gatepost.email_template_locales l
  set draft = null, diagnostics = '[]', draft_tag = null, published_version = number,
      updated_at = clock_timestamp(), updated_by = p_actor
  where l.key = p_key and l.locale = p_locale;

  perform gatepost.note_audit(
    p_actor, 'template.published', 'template:' || p_key, null, p_ip,
    jsonb_build_object('locale', p_locale, 'version', number)
  );
  return number;
end;
$$;


-- Deletes a template of one's own; a built-in one goes back to its default. Its versions stay.
create function gatepost.delete_template(p_key text, p_actor text, p_ip inet) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  is_builtin boolean;
begin
  update gatepost.email_templates t
  set deleted_at = case when not t.builtin then now() end, samples = '{}'
  where t.key = p_key and t.deleted_at is null
  returning t.builtin into is_builtin;
  if not found then
    raise exception 'no such template' using errcode = 'GP404';
  end if;

  update gatepost.email_template_locales l
  set draft = null, diagnostics = '[]', draft_tag = null, published_version = null,
      updated_at = clock_timestamp(), updated_by = p_actor
  where l.key = p_key;

  perform gatepost.note_audit(
    p_actor, case when is_builtin then 'template.reset' else 'template.deleted' end, 'template:' || p_key, null, p_ip
  );
end;
$$;


revoke execute on all functions in schema gatepost from public;
