-- The application's role: it can do what the service does, and nothing to the history. It reads and adds audit rows and
-- seals, but cannot change or delete them, and cannot change the schema. The owner migrates, and drops old audit rows.


-- Grants a role what the service needs, on everything that the migrations have created; a second call adds what is
-- missing. Rows are open to it by a policy that the planner removes.
create function gatepost.grant_application_role(p_role name) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  item record;
  policy text := 'application ' || p_role;
  verb text;
begin
  execute format('grant usage on schema gatepost to %I', p_role);
  for item in
    select c.oid, c.relname,
      case
        when c.relname in ('audit_log', 'audit_seals') then array['select', 'insert']
        when c.relname in ('audit_drops', 'schema_migrations') then array['select']
        else array['select', 'insert', 'update', 'delete']
      end as verbs
    from pg_catalog.pg_class c
    where c.relnamespace = 'gatepost'::regnamespace and c.relkind in ('r', 'p')
    order by c.relname
  loop
    foreach verb in array item.verbs loop
      if not has_table_privilege(p_role, item.oid, verb) then
        execute format('grant %s on gatepost.%I to %I', verb, item.relname, p_role);
      end if;
      if not exists (
        select from pg_catalog.pg_policy p where p.polrelid = item.oid and p.polname = policy || ' ' || verb
      ) then
        execute format(
          'create policy %I on gatepost.%I for %s to %I %s', policy || ' ' || verb, item.relname, verb, p_role,
          case verb when 'insert' then 'with check (true)' else 'using (true)' end
        );
      end if;
    end loop;
  end loop;

  for item in
    select f.oid::regprocedure as signature from pg_catalog.pg_proc f
    where f.pronamespace = 'gatepost'::regnamespace and f.proname <> 'grant_application_role'
      and not has_function_privilege(p_role, f.oid, 'execute')
    order by f.oid
  loop
    execute format('grant execute on function %s to %I', item.signature, p_role);
  end loop;
  -- For the check that a row's id is the sequence's own.
  for item in
    select c.oid, c.relname from pg_catalog.pg_class c
    where c.relnamespace = 'gatepost'::regnamespace and c.relkind = 'S'
      -- a table's privilege, because the other function fails for what is not a sequence, and may be called first
      and not has_table_privilege(p_role, c.oid, 'select')
  loop
    execute format('grant select on sequence gatepost.%I to %I', item.relname, p_role);
  end loop;
end;
$$;


revoke execute on all functions in schema gatepost from public;
