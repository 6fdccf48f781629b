-- Email templates: drafts, immutable published versions, and which version is published in each language.

create table gatepost.email_templates (
  key text primary key check (key ~ '^[a-z][a-z0-9-]{0,62}$'),
  builtin boolean not null,
  name text not null,
  description text not null,
  -- Its emails contain codes or links of the application: their content is shown to nobody and erased once they are
  -- sent. Security templates always do (builtin_templates).
  contains_secrets boolean not null default false,
  -- sample values for previews in the editor
  samples jsonb not null default '{}' check (jsonb_typeof(samples) = 'object'),
  created_at timestamptz not null default now(),
  -- A deleted template keeps its row and its versions, so that emails sent from them can still be shown.
  deleted_at timestamptz
);

-- One language of a template. A source is {subject, preheader, html, text, variables}.
create table gatepost.email_template_locales (
  key text not null references gatepost.email_templates,
  locale text not null check (char_length(locale) between 2 and 20),
  draft jsonb check (jsonb_typeof(draft) = 'object'),
  diagnostics jsonb not null default '[]',
  -- changes with each save; part of the ETag
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
  -- what the renderer compiles: {subject, html, text} with the layout applied and the styles inlined
  prepared jsonb not null,
  published_at timestamptz not null default now(),
  published_by text not null,
  primary key (key, locale, version),
  foreign key (key, locale) references gatepost.email_template_locales
);

alter table gatepost.email_templates enable row level security;
alter table gatepost.email_template_locales enable row level security;
alter table gatepost.email_template_versions enable row level security;


-- Raises GP033 template_version_immutable for every change.
create function gatepost.reject_version_change() returns trigger
language plpgsql set search_path = ''
as $$
begin
  raise exception using errcode = 'GP033', message = 'template_version_immutable';
end;
$$;

create trigger immutable before update or delete on gatepost.email_template_versions
  for each row execute function gatepost.reject_version_change();
create trigger no_truncate before truncate on gatepost.email_template_versions
  for each statement execute function gatepost.reject_version_change();


-- The ETag of a language's current source: changes with each save and publication. A language without a row has v0.
create function gatepost.template_etag(p_locale gatepost.email_template_locales) returns text
language sql immutable set search_path = ''
as $$
  select coalesce(p_locale.draft_tag::text, 'v' || coalesce(p_locale.published_version, 0));
$$;


-- Saves a draft over the source whose ETag is p_etag. Null accepts any published version but no draft.
-- Raises GP003 template_not_found, or GP012 draft_changed if p_etag is not the current one.
create function gatepost.save_template_draft(
  p_key text,
  p_locale text,
  p_etag text,
  p_draft jsonb,
  p_diagnostics jsonb,
  p_action text,
  p_actor text,
  p_ip inet
) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  current gatepost.email_template_locales;
begin
  perform from gatepost.email_templates t where t.key = p_key and t.deleted_at is null for update;
  if not found then
    raise exception using errcode = 'GP003', message = 'template_not_found';
  end if;
  select * into current from gatepost.email_template_locales l where l.key = p_key and l.locale = p_locale;
  if current.draft is not null and p_etag is null or p_etag <> gatepost.template_etag(current) then
    raise exception using errcode = 'GP012', message = 'draft_changed';
  end if;

  insert into gatepost.email_template_locales as l (key, locale, draft, diagnostics, draft_tag, updated_by)
  values (p_key, p_locale, p_draft, p_diagnostics, gen_random_uuid(), p_actor)
  on conflict (key, locale) do update
  set draft = excluded.draft, diagnostics = excluded.diagnostics, draft_tag = excluded.draft_tag,
      updated_at = clock_timestamp(), updated_by = excluded.updated_by;

  perform gatepost.record_audit(
    p_actor, p_action, 'template:' || p_key, null, p_ip, jsonb_build_object('locale', p_locale)
  );
end;
$$;


-- Publishes the draft with this tag as the next version, removes the draft and returns the version number.
-- Raises GP012 draft_changed if the current draft has another tag.
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
  content jsonb;
  number integer;
begin
  select l.draft into content from gatepost.email_template_locales l
  where l.key = p_key and l.locale = p_locale and l.draft_tag = p_tag
  for update;
  if not found then
    raise exception using errcode = 'GP012', message = 'draft_changed';
  end if;

  insert into gatepost.email_template_versions (key, locale, version, source, prepared, published_by)
  select p_key, p_locale, coalesce(max(v.version), 0) + 1, content, p_prepared, p_actor
  from gatepost.email_template_versions v
  where v.key = p_key and v.locale = p_locale
  returning version into number;

  update gatepost.email_template_locales l
  set draft = null, diagnostics = '[]', draft_tag = null, published_version = number,
      updated_at = clock_timestamp(), updated_by = p_actor
  where l.key = p_key and l.locale = p_locale;

  perform gatepost.record_audit(
    p_actor, 'template.published', 'template:' || p_key, null, p_ip,
    jsonb_build_object('locale', p_locale, 'version', number)
  );
  return number;
end;
$$;


-- Deletes a custom template, or resets a built-in one to its default content. The versions stay.
-- Raises GP003 template_not_found.
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
    raise exception using errcode = 'GP003', message = 'template_not_found';
  end if;

  update gatepost.email_template_locales l
  set draft = null, diagnostics = '[]', draft_tag = null, published_version = null,
      updated_at = clock_timestamp(), updated_by = p_actor
  where l.key = p_key;

  perform gatepost.record_audit(
    p_actor, case when is_builtin then 'template.reset' else 'template.deleted' end, 'template:' || p_key, null, p_ip
  );
end;
$$;


revoke execute on all functions in schema gatepost from public;
