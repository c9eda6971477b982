/**
 * A whole small job, failures included, with values that are marked; then every byte that the service left behind is
 * searched for them: database, queue, vault, home, scratch and what the processes said. Sealed and destroyed is the only
 * way to be there.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { type Test, test } from 'tap'
import { openKeyring } from '../src/keys/open-keyring.ts'
import { startTestRoles, type TestRoles } from './support/all-roles.ts'
import {
  csvPart,
  deliver,
  expect,
  makeCohort,
  manifestOf,
  openTestProject,
  partPath,
  type TestPart,
  takeRelease,
} from './support/exchange.ts'
import { askedAndDoubted, keysFirst } from './support/marked-steps.ts'
import { header, key, keysPart, number, rows, serial, table, tablePart } from './support/marks.ts'
import { startTestRedis } from './support/redis.ts'
import { reviewersOf } from './support/reviewers.ts'

test('nothing of what agencies send is found in anything the service leaves behind', async (t) => {
  const redis = process.env['GYEOL_TEST_QUEUE'] === 'redis' ? await startTestRedis(t) : undefined
  const roles = await startTestRoles(t, {
    GYEOL_LOG_LEVEL: 'debug',
    ...(redis && { REDIS_URL: redis.url }),
  })
  const project = await wholeJob(t, roles)
  const tokens = await tokensOf(roles, project)
  const secrets: Record<string, string[]> = {
    'a registration number': ['900101-1734', '9001011734'],
    'a serial': ['SERIALMARK'],
    'a payload': ['PAYLOADMARK', 'CODEMARK'],
    'a key': rows.slice(0, 20).flatMap((person) => formsOf(Buffer.from(key(person), 'hex'))),
    'a token or a person': tokens.flatMap(formsOf),
    'a password': ['the password of'],
  }
  const places: Record<string, Buffer[]> = {
    'the database': await everyRow(roles),
    'the files of the home': filesBelow(roles.config.home),
    scratch: filesBelow(roles.config.scratch ?? ''),
    'what the processes said': [Buffer.from(roles.lines.join('\n'))],
    ...(redis && { Redis: await everyKey(redis.url) }),
  }
  t.ok(roles.lines.length > 20, 'the processes said something')
  for (const [where, bytes] of Object.entries(places)) {
    for (const [what, forms] of Object.entries(secrets)) {
      const found = forms.filter((form) => bytes.some((each) => each.includes(form, 0, 'latin1')))
      t.equal(found.length, 0, `${what} in ${where}`)
    }
  }
  const known = Buffer.concat(places['the database'] ?? [])
  t.ok(known.includes(project), 'and the search would have found something')
  const vault = filesBelow(join(roles.config.home, 'vault'))
  t.ok(vault.length > 5 && vault.every(({ length }) => length > 0), 'the vault is not empty')
})

/** What an agency, reviewers and a recipient do, and every mistake on the way that could echo a value. */
async function wholeJob(t: Test, roles: TestRoles): Promise<string> {
  const operator = await roles.person('one', ['operator', 'custodian'])
  const two = await roles.person('two', ['custodian'])
  const spine = await roles.agency('spine')
  const other = await roles.agency('other')
  await openTestProject([operator, two], {
    name: 'secrecy',
    catalogue: {
      name: 'secrecy',
      version: '1',
      tables: { cases: table, visits: { ...table, agency: 'other' } },
    },
    recipe: { version: 'gyeol-1', fields: { number: 'identifier' }, keyTypes: { K1: ['number'] } },
    rules: { extraction: true, tickets: true },
    agencies: [
      { agency: 'spine', isSpine: true, keyTypes: ['K1'] },
      { agency: 'other', keyTypes: ['K1'] },
    ],
  })
  const refused: [string, TestPart[]][] = [
    ['a number in a text', [keysPart(), tablePart('visits', [`x,C,20200101,${number(1)}`])]],
    ['a number as a serial', [keysPart(), tablePart('visits', [`${number(2)},C,20200101,x`])]],
    [
      'a key in upper case',
      [csvPart('', 1, ['serial,K1', `${serial(1)},${key(1).toUpperCase()}`]), tablePart('visits')],
    ],
    ['a number for a key', [csvPart('', 1, ['serial,K1', `${serial(1)},${number(3)}`])]],
    [
      'no header',
      [keysPart(), csvPart('visits', 1, [`${serial(1)},CODEMARK1,20200101,PAYLOADMARK1`])],
    ],
    [
      'a quote that is not closed',
      [keysPart(), csvPart('visits', 1, [header, `${serial(1)},C,20200101,"PAYLOADMARK1`])],
    ],
  ]
  for (const [what, parts] of refused) {
    const { job } = await deliver(other, 'secrecy', parts)
    const { body } = await roles.jobEnd(other, job)
    t.equal(body.result?.delivery, 'refused', what)
  }
  const opened = await other.post('/v1/projects/secrecy/deliveries', { wave: 1 })
  const part = tablePart('visits', [`x,${'C'.repeat(30)},PAYLOADMARK,PAYLOADMARK`])
  const path = partPath(opened.body.delivery, part)
  const wrong = createHash('sha256').update('other').digest('base64')
  const digest = await other.put(path, part.bytes, { 'content-digest': `sha-256=:${wrong}:` })
  t.equal(digest.status, 422)
  t.equal((await other.put(path, part.bytes, { 'content-type': 'SERIALMARK' })).status, 415)
  t.equal((await other.get(`/v1/deliveries/${serial(1)}?note=PAYLOADMARK`)).status, 400)
  t.equal((await other.get(`/v1/${number(1)}/PAYLOADMARK`)).status, 404)
  t.equal((await other.post('/v1/projects/secrecy/deliveries', { wave: number(1) })).status, 400)
  t.equal((await other.put(path.replace('visits', 'serialmark'), part.bytes)).status, 404)
  for (const each of [keysPart(), part]) {
    expect(await other.put(partPath(opened.body.delivery, each), each.bytes), 201)
  }
  const submission = `/v1/deliveries/${opened.body.delivery}/submission`
  const submitted = expect(await other.post(submission, manifestOf([keysPart(), part])), 202)
  const sent = await deliver(spine, 'secrecy', [keysPart(), tablePart('cases')])
  for (const job of [submitted.body.job, sent.job]) {
    t.match((await roles.jobEnd(operator, job)).body.result, { delivery: 'taken' })
  }
  await keysFirst(t, roles, { operator, other })
  const { cohort } = await makeCohort(roles, operator, 'secrecy')
  const columns = { code: { rule: 'keep' }, note: { rule: 'keep' } }
  const policy = {
    name: 'secrecy',
    version: '1',
    type: 'A',
    dates: 'relative',
    formats: ['csv', 'parquet'],
    tables: { cases: { columns }, visits: { columns } },
  }
  const everybody = await reviewersOf(roles, operator)
  const files = await takeRelease(roles, everybody, { cohort, policy })
  const released = Buffer.concat([...files.values()])
  t.ok(released.includes('PAYLOADMARK7'), 'the recipient has the payload')
  t.notOk(released.includes('SERIALMARK'), 'and no serial')
  const [reviewer] = everybody.reviewers
  await askedAndDoubted(t, roles, { operator, reviewer, spine, other })
  return (await operator.get('/v1/projects/secrecy')).body.project
}

/** The tokens and persons of the first people, computed with the key side's keyring. */
async function tokensOf({ config }: TestRoles, project: string): Promise<Buffer[]> {
  const passphrase = readFileSync(join(config.keys, 'key.passphrase'), 'utf8').trimEnd()
  const keyring = await openKeyring({
    path: join(config.keys, 'key.keyring'),
    passphrase: Buffer.from(passphrase),
    demo: config.demo,
  })
  const keys = Buffer.concat(rows.slice(0, 20).map((person) => Buffer.from(key(person), 'hex')))
  const tokens = keyring.macColumn({ purpose: 'linkage', project, epoch: 1 }, keys, 32)
  const persons = keyring.macColumn({ purpose: 'person', project }, tokens, 16)
  return [tokens, persons].flatMap((column) =>
    Array.from({ length: 20 }, (_, at) => Buffer.from(column.subarray(at * 16, at * 16 + 16))),
  )
}

/** How sixteen or more bytes may be written down. */
function formsOf(bytes: Buffer): string[] {
  const hex = bytes.toString('hex')
  const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5')
  const base64 = bytes.toString('base64').replace(/.?=*$/, '')
  const base64url = bytes.toString('base64url').slice(0, base64.length)
  return [hex, hex.toUpperCase(), uuid, base64, base64url, bytes.toString('latin1')]
}

/** Every row of every table outside PostgreSQL's own, and what it keeps of statements. */
async function everyRow({ admin }: TestRoles): Promise<Buffer[]> {
  const tables = await admin.query<{ name: string }>(
    `select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema')`,
  )
  const found: Buffer[] = []
  for (const name of [...tables.rows.map((row) => row.name), 'pg_stat_activity']) {
    const { rows } = await admin.query(`select r::text as row from ${name} r`)
    found.push(Buffer.from(rows.map(({ row }) => `${row}\n${unescaped(row)}`).join('\n')))
  }
  return found
}

/** Bytes print as hexadecimal digits; their text is what counts. */
function unescaped(row: string): string {
  return row.replace(/\\+x([0-9a-f]{2,})/g, (_, hex) => Buffer.from(hex, 'hex').toString('latin1'))
}

/** Every file, with the names as a last one: the database's own directory, logs and journal too. */
function filesBelow(directory: string): Buffer[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const names = Buffer.from(entries.map((entry) => entry.name).join('\n'))
  return [...files.map((entry) => readFileSync(join(entry.parentPath, entry.name))), names]
}

async function everyKey(url: string): Promise<Buffer[]> {
  const redis = new Redis(url)
  const found: Buffer[] = []
  for (const name of await redis.keys('*')) {
    found.push(Buffer.from(name), (await redis.dumpBuffer(name)) ?? Buffer.alloc(0))
  }
  redis.disconnect()
  return found
}
