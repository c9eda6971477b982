import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'tap'
import { type LoginRole, loginRoles } from '../src/store/roles.ts'
import { startTestDatabase } from './support/database.ts'
import { grantsOf } from './support/schema.ts'

/**
 * Who may do what: s(elect), i(nsert), u(pdate), d(elete) of the whole table; in capitals, of named
 * columns only. The columns are in migrations/schema.sql. An auditor sees everything but sessions
 * and password hashes; a leaf is written by nobody.
 */
const matrix = `
                         api   key   data  sign  auditor migrate
account                  siU   -     S     -     S       -
agency                   siU   S     S     -     s       -
audit_checkpoint         s     -     -     si    s       -
audit_head               s     -     -     s     s       -
audit_leaf               s     -     -     s     s       -
case_decision            si    s     -     -     s       -
case_opinion             si    -     -     -     s       -
cohort                   si    -     sU    -     s       -
cohort_part              s     -     si    -     s       -
cosignature              si    -     -     -     s       -
delivery                 siU   sU    sU    -     s       -
destruction_certificate  s     -     si    -     s       -
doubt                    si    s     -     -     s       -
download                 siU   -     -     -     s       -
epoch_change             siU   s     -     -     s       -
extraction               s     si    -     -     s       -
finding                  si    -     s     -     s       -
job                      siU   siU   siU   -     s       -
keyring_revision         si    si    si    si    s       -
link_case                s     SI    SU    -     s       -
link_map                 s     siU   s     -     s       -
linkage                  si    sU    s     -     s       -
part                     siU   sU    sU    -     s       -
processing_record        si    -     sU    -     s       -
project                  siU   sU    sU    -     s       -
project_agency           si    s     s     -     s       -
release                  siU   -     sU    -     s       -
release_file             s     -     siU   -     s       -
release_statement        si    -     -     -     s       -
schema_version           s     s     s     s     s       -
sealing_key              siU   siU   siU   -     s       -
session                  sid   -     -     -     -       -
ticket                   siU   sU    -     -     s       -
ticket_answer            si    -     -     -     s       -
ticket_case              si    sU    -     -     s       -
vault_object             siU   siU   siU   -     s       -
witness                  siU   -     -     -     s       -
`

const columns = ['api', 'key', 'data', 'sign', 'auditor', 'migrate']

test('roles', async (t) => {
  const database = await startTestDatabase(t)
  const admin = database.pool('admin', 1)

  t.test('hold exactly the grants of the matrix', async (t) => {
    const tables = await admin.query<{ name: string }>(
      "select relname as name from pg_class where relnamespace = 'gyeol'::regnamespace and relkind = 'r' order by 1",
    )
    const grants = await grantsOf(admin)
    const rows = tables.rows.map(({ name }) => {
      const cells = columns.map((column) => {
        const grant = grants.find(
          (g) => g.object === `gyeol.${name}` && g.role === `gyeol_${column}`,
        )
        return lettersOf(grant?.privileges ?? '').padEnd(6)
      })
      // One column is wider than its neighbours for its name.
      cells[4] = `${cells[4] ?? ''}  `
      return `${name.padEnd(25)}${cells.join('')}`.trimEnd()
    })
    t.same(rows, matrix.trimEnd().split('\n').slice(2))
    t.same(
      grants.filter((g) => !columns.includes(g.role.replace('gyeol_', ''))),
      [],
      'nobody else holds any',
    )
  })

  t.test('may together write every column that the code writes', async (t) => {
    const grants = await grantsOf(admin)
    const store = new URL('../src/store/', import.meta.url)
    let statements = 0
    for (const name of readdirSync(store)) {
      const text = readFileSync(new URL(name, store), 'utf8')
      for (const [, table, sets = ''] of text.matchAll(
        /update (gyeol\.\w+)(?: as \w+)?\s+set (.*?)(?=\bwhere\b|`)/gs,
      )) {
        statements += 1
        const writable = grants
          .filter((grant) => grant.object === table)
          .flatMap((grant) => /update \(([^)]*)\)/.exec(grant.privileges)?.[1]?.split(', ') ?? [])
        for (const [, column = ''] of sets.matchAll(/(?:^|,)\s*(\w+) = /g)) {
          if (!writable.includes(column)) t.fail(`${name} writes ${table}.${column}; no role may`)
        }
      }
    }
    t.ok(statements > 15, 'there are statements to look at')
  })

  t.test('own nothing, bypass nothing and are members of nothing', async (t) => {
    const found = await admin.query(
      `select rolname from pg_roles where rolname = any($1::text[]) and (rolsuper or rolcreaterole or rolcreatedb
         or rolreplication or rolbypassrls or not rolcanlogin)
       union all
       select distinct pg_get_userbyid(relowner) from pg_class
       where relnamespace = 'gyeol'::regnamespace and pg_get_userbyid(relowner) <> 'gyeol_owner'
       union all
       select 'gyeol_owner' from pg_roles where rolname = 'gyeol_owner' and rolcanlogin`,
      [loginRoles],
    )
    t.same(found.rows, [])
    const members = await admin.query(
      `select pg_get_userbyid(member) as member, pg_get_userbyid(roleid) as role, inherit_option as inherits
       from pg_auth_members where pg_get_userbyid(member) = any($1::text[])`,
      [loginRoles],
    )
    t.same(members.rows, [{ member: 'gyeol_migrate', role: 'gyeol_owner', inherits: false }])
  })

  t.test('cannot write, change or remove a leaf or a checkpoint', async (t) => {
    await admin.query(`select gyeol.append_leaf('{}', null, 'a', 'b', 'c', now())`)
    const attempts = [
      `insert into gyeol.audit_leaf (number, entry, leaf_hash, actor, action, object, at)
       values (9, '{}', '', 'a', 'b', 'c', now())`,
      `update gyeol.audit_leaf set actor = 'x'`,
      'delete from gyeol.audit_leaf',
      'truncate gyeol.audit_leaf',
      'update gyeol.audit_head set size = 0',
      'delete from gyeol.audit_checkpoint',
      `update gyeol.audit_checkpoint set note = 'x'`,
      'alter table gyeol.audit_leaf disable trigger all',
    ]
    for (const role of loginRoles) {
      const pool = database.pool(role, 1)
      for (const attempt of attempts) {
        await t.rejects(pool.query(attempt), { code: '42501' }, `${role}: ${attempt.slice(0, 30)}`)
      }
    }
    for (const attempt of attempts.slice(1, 4)) {
      await t.rejects(admin.query(attempt), { code: '42501' }, 'nor does a superuser by mistake')
    }
  })

  t.test('write only the rows of their own side', async (t) => {
    const project = '00000000-0000-4000-8000-000000000001'
    await fill(project)
    const insertKey = (side: string): string =>
      `insert into gyeol.sealing_key (sealing_key_id, project_id, side, public_key)
       values (gen_random_uuid(), '${project}', '${side}', decode(repeat('00', 65), 'hex'))`
    const insertObject = (kind: string): string =>
      `insert into gyeol.vault_object (object_id, project_id, kind, sealing_key_id, bytes)
       select gen_random_uuid(), '${project}', '${kind}', sealing_key_id, 1 from gyeol.sealing_key limit 1`
    const insertJob = (side: string): string =>
      `insert into gyeol.job (job_id, project_id, side, kind, subject)
       values (gen_random_uuid(), '${project}', '${side}', 'x', '{}')`
    const insertRevision = (side: string): string =>
      `insert into gyeol.keyring_revision (side, revision, sha256) values ('${side}', 1, '')`
    const refused: [LoginRole, string][] = [
      ['gyeol_key', insertKey('data')],
      ['gyeol_data', insertKey('key')],
      ['gyeol_api', insertKey('key')],
      ['gyeol_key', insertObject('typed-part')],
      ['gyeol_data', insertObject('tokens')],
      ['gyeol_data', insertObject('link-map')],
      ['gyeol_api', insertObject('desk-file')],
      ['gyeol_api', insertObject('extraction')],
      ['gyeol_data', insertObject('extraction')],
      ['gyeol_api', insertObject('questions')],
      ['gyeol_data', insertObject('questions')],
      ['gyeol_key', insertJob('data')],
      ['gyeol_data', insertJob('key')],
      ['gyeol_data', insertRevision('key')],
      ['gyeol_sign', insertRevision('api')],
      ['gyeol_key', `update gyeol.project set state = 'closed'`],
    ]
    for (const [role, statement] of refused) {
      await t.rejects(
        database.pool(role, 1).query(statement),
        { code: '42501' },
        `${role}: ${statement.slice(0, 60)}`,
      )
    }
    const allowed: [LoginRole, string][] = [
      ['gyeol_key', insertKey('key')],
      ['gyeol_data', insertKey('data')],
      ['gyeol_api', insertObject('key-upload')],
      ['gyeol_key', insertObject('link-map')],
      ['gyeol_data', insertObject('typed-part')],
      ['gyeol_key', insertJob('key')],
      ['gyeol_api', insertJob('data')],
      ['gyeol_sign', insertRevision('sign')],
      ['gyeol_key', `update gyeol.project set state = 'open' where state = 'approved'`],
      ['gyeol_data', `update gyeol.vault_object set destroyed_at = now()`],
    ]
    for (const [role, statement] of allowed) {
      const done = await database.pool(role, 1).query(statement)
      t.ok((done.rowCount ?? 0) > 0, `${role}: ${statement.slice(0, 60)}`)
    }
    const others = await database
      .pool('gyeol_data', 1)
      .query(`update gyeol.job set state = 'done' where side = 'key'`)
    t.equal(others.rowCount, 0, 'a job of the other side is out of reach')
  })

  async function fill(project: string): Promise<void> {
    await admin.query(`
      insert into gyeol.account (account_id, name, password_hash, roles)
      values (gen_random_uuid(), 'kim', '', '{operator}');
      insert into gyeol.project (project_id, name, purpose, state, catalogue, recipe, canaries, rules, mac_algorithm,
        created_by)
      select '${project}', 'p', '', 'approved', '{}', '{}', '{}', '{}', 'cmac-aes-256', account_id from gyeol.account;
      insert into gyeol.job (job_id, project_id, side, kind, subject)
      values (gen_random_uuid(), '${project}', 'key', 'x', '{}');
      insert into gyeol.sealing_key (sealing_key_id, side, public_key)
      values (gen_random_uuid(), 'desk', decode(repeat('00', 65), 'hex'))`)
  }
})

/** `select, insert, update (state)` → `siU`; nothing → `-`. */
function lettersOf(privileges: string): string {
  const letters = [...privileges.matchAll(/(select|insert|update|delete|\w+)( \([^)]*\))?/g)].map(
    ([, name = '', some]) => {
      const letter = name.slice(0, 1)
      return some === undefined ? letter : letter.toUpperCase()
    },
  )
  return letters.join('') || '-'
}
