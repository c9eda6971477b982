/**
 * The schema as the catalogues of PostgreSQL tell it: what the migrations came to, in one canonical
 * text.
 */
import type { Queryable } from '../../src/store/pool.ts'

type Line = { line: string }

/**
 * Everything in the schema `gyeol`: tables, constraints, indexes, functions, triggers, policies and
 * grants.
 */
export async function schemaText(database: Queryable): Promise<string> {
  const sections = await Promise.all([
    tablesText(database),
    linesOf(database, indexesSql),
    linesOf(database, functionsSql),
    linesOf(database, triggersSql),
    linesOf(database, policiesSql),
    grantsText(database),
  ])
  return `${[header, ...sections].join('\n\n')}\n`
}

/** What a role may do to a table: `select, update (state)`. */
export type Grant = { role: string; object: string; privileges: string }

/** Every privilege that a role of the service holds on a table of the schema. */
export async function grantsOf(database: Queryable): Promise<Grant[]> {
  const found = await database.query<Grant>(grantsSql)
  return found.rows
}

const header = `-- What the migrations come to. Generated: run \`npx tap --snapshot test/store/schema.test.ts\` after adding one.
-- Do not edit, do not run.`

async function tablesText(database: Queryable): Promise<string> {
  const found = await database.query<{ table: string; lines: string[] }>(tablesSql)
  return found.rows
    .map(({ table, lines }) => `create table ${table} (\n  ${lines.join(',\n  ')}\n);`)
    .join('\n\n')
}

async function linesOf(database: Queryable, sql: string): Promise<string> {
  const found = await database.query<Line>(sql)
  return found.rows.map((row) => row.line).join('\n')
}

async function grantsText(database: Queryable): Promise<string> {
  const grants = await grantsOf(database)
  const functions = await linesOf(database, functionGrantsSql)
  const tables = grants.map(
    ({ role, object, privileges }) => `grant ${privileges} on ${object} to ${role};`,
  )
  return `${tables.join('\n')}\n${functions}`
}

const tablesSql = `
  select 'gyeol.' || c.relname as table, array(
    select line from (
      select 0 as part, a.attnum as place, a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        || case when a.attnotnull then ' not null' else '' end
        || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') as line
      from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      union all
      select 1, row_number() over (order by k.contype desc, k.conname),
        'constraint ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
      from pg_constraint k where k.conrelid = c.oid and k.contype <> 'n'
    ) as lines order by part, place
  ) as lines
  from pg_class c where c.relnamespace = 'gyeol'::regnamespace and c.relkind = 'r' order by c.relname`

const indexesSql = `
  select pg_get_indexdef(i.indexrelid) || ';' as line
  from pg_index i join pg_class c on c.oid = i.indexrelid
  where c.relnamespace = 'gyeol'::regnamespace
    and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u'))
  order by c.relname`

const functionsSql = `
  select rtrim(pg_get_functiondef(p.oid), E'\\n') || E';\\n-- owner: ' || pg_get_userbyid(p.proowner) as line
  from pg_proc p where p.pronamespace = 'gyeol'::regnamespace order by p.proname`

const triggersSql = `
  select pg_get_triggerdef(t.oid) || ';' as line
  from pg_trigger t join pg_class c on c.oid = t.tgrelid
  where c.relnamespace = 'gyeol'::regnamespace and not t.tgisinternal order by c.relname, t.tgname`

const policiesSql = `
  select 'alter table gyeol.' || relname || ' enable row level security;' as line
  from pg_class where relnamespace = 'gyeol'::regnamespace and relrowsecurity
  union all
  select 'create policy ' || policyname || ' on gyeol.' || tablename || ' for ' || lower(cmd) || ' to '
    || array_to_string(roles, ', ') || coalesce(' using (' || qual || ')', '')
    || coalesce(' with check (' || with_check || ')', '') || ';'
  from pg_policies where schemaname = 'gyeol'
  order by line`

const grantsSql = `
  with privileges as (
    select c.relname, acl.grantee, lower(acl.privilege_type) as privilege, null::text as columns
    from pg_class c, aclexplode(c.relacl) as acl
    where c.relnamespace = 'gyeol'::regnamespace and acl.grantee <> c.relowner
    union all
    select c.relname, acl.grantee, lower(acl.privilege_type), string_agg(a.attname, ', ' order by a.attnum)
    from pg_class c join pg_attribute a on a.attrelid = c.oid, aclexplode(a.attacl) as acl
    where c.relnamespace = 'gyeol'::regnamespace and acl.grantee <> c.relowner
    group by c.relname, acl.grantee, acl.privilege_type
  )
  select case when grantee = 0 then 'public' else pg_get_userbyid(grantee) end as role, 'gyeol.' || relname as object,
    string_agg(privilege || coalesce(' (' || columns || ')', ''), ', '
      order by array_position(array['select', 'insert', 'update', 'delete'], privilege), columns nulls first) as privileges
  from privileges group by relname, grantee order by object, role`

const functionGrantsSql = `
  select 'grant execute on function gyeol.' || p.proname || ' to '
    || case when acl.grantee = 0 then 'public' else pg_get_userbyid(acl.grantee) end || ';' as line
  from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as acl
  where p.pronamespace = 'gyeol'::regnamespace and acl.grantee <> p.proowner order by line`
