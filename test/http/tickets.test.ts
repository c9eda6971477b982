import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { expireQuestions } from '../../src/actions/expire-questions.ts'
import { openClient } from '../../src/agency/client.ts'
import { askTickets, fetchQuestions, sendAnswers } from '../../src/agency/tickets.ts'
import { openVault } from '../../src/vault/vault.ts'
import type { ApiClient } from '../support/api-client.ts'
import {
  csvPart,
  deliver,
  expect,
  openTestProject,
  type TestPart,
  testKey,
} from '../support/exchange.ts'
import { startTestService } from '../support/service.ts'

const title = { en: 'Title', ko: '제목' }
const people = 20
const reason = 'What the agency says fits the chart'

const keysOf = (rows: readonly (readonly [serial: string, number: string])[]): TestPart =>
  csvPart('', 1, ['serial,K1', ...rows.map(([serial, number]) => `${serial},${testKey(number)}`)])
const everybody = Array.from({ length: people }, (_, at) => [`R${at}X`, `n${at}`] as const)
const answersOf = (...lines: string[]): Buffer =>
  Buffer.from(`${['case,answer', ...lines].join('\n')}\n`)

type Case = { case: string; kind: string; agency: string; answer: string | null }

/** A registry that corrects a number and an insurer that declares itself free of duplicates and is not. */
async function openStage(t: Test) {
  const service = await startTestService(t)
  const operator = await service.person('one', ['operator', 'custodian'])
  const two = await service.person('two', ['custodian'])
  const auditor = await service.person('auditor', ['auditor'])
  const registry = await service.agency('registry')
  const insurer = await service.agency('insurer')
  const outsider = await service.agency('outsider')
  const open = (name: string, rules: object): Promise<void> =>
    openTestProject([operator, two], {
      name,
      rules,
      recipe: {
        version: 'gyeol-1',
        fields: { number: 'identifier' },
        keyTypes: { K1: ['number'] },
      },
      catalogue: {
        name,
        version: '1',
        tables: {
          visits: { agency: 'insurer', title, columns: { code: { type: 'code', title } } },
        },
      },
      agencies: [
        { agency: 'registry', isSpine: true, keyTypes: ['K1'] },
        { agency: 'insurer', isDuplicateFree: true, keyTypes: ['K1'] },
      ],
    })
  await open('asked', { tickets: true })
  await open('untold', {})
  const send = async (agency: ApiClient, wave: number, part: TestPart, to = 'asked') => {
    const { job } = await deliver(agency, to, [part], wave)
    t.match((await service.jobEnd(operator, job)).body.result, { delivery: 'taken' })
  }
  const link = async (project = 'asked'): Promise<string> => {
    const asked = expect(await operator.post(`/v1/projects/${project}/linkages`), 202).body
    t.match((await service.jobEnd(operator, asked.job)).body, { state: 'done' })
    return asked.linkage
  }
  const casesOf = async (linkage: string): Promise<Case[]> =>
    expect(await operator.get(`/v1/linkages/${linkage}/cases`), 200).body.cases
  const request = (agency: string, cases: string[], project = 'asked') =>
    operator.post(`/v1/projects/${project}/tickets`, { agency, cases })
  const ticketOf = async (agency: string, cases: string[]): Promise<string> => {
    const asked = expect(await request(agency, cases), 202).body
    t.match((await service.jobEnd(operator, asked.job)).body, { state: 'done' })
    return asked.ticket
  }
  const shown = async (caller: ApiClient) =>
    expect(await caller.get('/v1/projects/asked/tickets'), 200).body.tickets
  const admin = service.database.pool('admin', 1)
  const leaves = async (action: string): Promise<Record<string, unknown>[]> => {
    const sql = 'select entry from gyeol.audit_leaf where action = $1::text order by number'
    const found = await admin.query<{ entry: Buffer }>(sql, [action])
    return found.rows.map(({ entry }) => JSON.parse(entry.toString()))
  }
  const listObjects = async (): Promise<boolean[]> => {
    const found = await admin.query<{ id: string; isLive: boolean }>(
      `select object_id as id, destroyed_at is null as "isLive" from gyeol.vault_object
       where kind = 'questions' order by created_at`,
    )
    return found.rows.map(({ id, isLive }) => {
      const isThere = existsSync(join(service.home, 'vault', id.slice(0, 2), id))
      t.equal(isThere, isLive, 'the vault holds what the database names')
      return isThere
    })
  }
  return {
    service,
    admin,
    people: { operator, two, auditor },
    agencies: { registry, insurer, outsider },
    ...{ send, link, casesOf, request, ticketOf, shown, leaves, listObjects },
  }
}

const notFound = { status: 404, body: { type: /:not-found$/ } }
const malformed = { status: 400, body: { type: /:input-malformed$/ } }

test('what people cannot decide is asked of the agency that holds the identifiers', async (t) => {
  const stage = await openStage(t)
  const { service, admin, send, link, casesOf, request, ticketOf, shown, leaves } = stage
  const { operator, two, auditor } = stage.people
  const { registry, insurer, outsider } = stage.agencies
  await send(registry, 1, keysOf(everybody))
  await send(insurer, 1, keysOf([['I4Y', 'n4']]))
  await link()
  // The registry finds that R1X is R0X; the insurer has two records of one person.
  await send(registry, 2, keysOf([['R1X', 'n0']]))
  await send(
    insurer,
    2,
    keysOf([
      ['I7Y', 'n7'],
      ['I7Z', 'n7'],
    ]),
  )
  const linkage = await link()
  const cases = await casesOf(linkage)
  const merge = cases.find(({ kind }) => kind === 'merge')?.case ?? ''
  const conflicts = cases.filter(({ kind }) => kind === 'conflict').map((each) => each.case)
  t.equal(conflicts.length, 2, 'both records of the duplicate')
  const [conflict = '', another = ''] = conflicts

  await t.test('who may ask whom about what', async (t) => {
    const body = { agency: 'registry', cases: [merge] }
    t.match(await auditor.post('/v1/projects/asked/tickets', body), { status: 403 })
    t.match(await registry.post('/v1/projects/asked/tickets', body), { status: 403 })
    t.match(await request('outsider', [merge]), notFound)
    t.match(await request('registry', [linkage]), {
      ...notFound,
      body: { details: { missing: 1 } },
    })
    t.match(await request('registry', [merge, merge]), malformed)
    t.match(await request('registry', []), malformed)
    t.match(await request('registry', [merge], 'untold'), { status: 409 })
    const told = { status: 403, body: { type: /:grant-missing$/ } }
    t.match(await request('insurer', [conflict], 'untold'), told, 'a question would tell it')
    t.match(await outsider.get('/v1/projects/asked/tickets'), notFound)
  })

  await t.test('the registry says whether two of its records are one', async (t) => {
    const ticket = await ticketOf('registry', [merge, conflict])
    t.match(await shown(operator), [
      { ticket, agency: 'registry', state: 'open', asked: 1, unasked: [conflict], hasList: true },
    ])
    t.match(await shown(registry), [{ ticket, cases: 2, asked: 1, answered: 0, unasked: null }])
    t.same(await shown(insurer), [])
    const path = `/v1/tickets/${ticket}`
    const list = expect(await registry.get(`${path}/questions`), 200)
    t.equal(list.bytes.toString(), `case,serial_a,serial_b\n${merge},R0X,R1X\n`)
    t.match(list.headers, {
      'content-type': 'text/csv',
      'cache-control': 'no-store',
      'content-digest': `sha-256=:${createHash('sha256').update(list.bytes).digest('base64')}:`,
    })
    t.match(await leaves('read-questions'), [
      { actor: { kind: 'agency', name: 'registry' }, object: ticket, counts: { asked: 1 } },
    ])

    for (const caller of [insurer, outsider]) {
      t.match(await caller.get(`${path}/questions`), notFound)
      t.match(await caller.put(`${path}/answers`, answersOf(`${merge},same`)), notFound)
    }
    t.match(await operator.get(`${path}/questions`), { status: 403 })
    t.match(await operator.put(`${path}/answers`, answersOf(`${merge},same`)), { status: 403 })

    const put = (bytes: Buffer, headers = {}) => registry.put(`${path}/answers`, bytes, headers)
    const refused = await put(
      answersOf(`${merge},same`, `${conflict},same`, 'R1X,same', `${merge},yes`),
    )
    const details = { 'case-unknown': '3 4', 'answer-unknown': '5' }
    t.match(refused, { ...malformed, body: { details } }, 'nor a case that was not asked')
    t.notMatch(refused.bytes.toString(), 'R1X')
    t.match(await put(Buffer.from(`case,answer\n`)), malformed)
    t.match(await put(Buffer.alloc(200_000, 'x')), { status: 413 })
    const json = { 'content-type': 'application/json' }
    t.match(await put(Buffer.from('{}'), json), { status: 415 })
    const digest = `sha-256=:${createHash('sha256').digest('base64')}:`
    const differs = { status: 422, body: { type: /:digest-differs$/ } }
    t.match(await put(answersOf(`${merge},same`), { 'content-digest': digest }), differs)
    t.match(await shown(registry), [{ state: 'open', answered: 0 }], 'nothing was taken')
    t.same(await stage.listObjects(), [true])

    const whole = { status: 200, body: { answered: 1, asked: 1 } }
    t.match(await put(answersOf(`${merge},unknown`)), whole)
    t.match(await put(answersOf(`${merge},same`)), whole, 'a later one counts')
    t.match(await shown(registry), [{ state: 'answered', answered: 1, hasList: false }])
    t.same(await stage.listObjects(), [false], 'the list is destroyed')
    const past = { status: 403, body: { type: /:outside-period$/ } }
    t.match(await registry.get(`${path}/questions`), past)
    const counted = (await leaves('answer-ticket')).filter(({ outcome }) => outcome === 'done')
    t.match(counted, [
      { counts: { same: 0, notSame: 0, unknown: 1 } },
      { counts: { same: 1, notSame: 0, unknown: 0 } },
    ])
    const written = admin.query("update gyeol.ticket_answer set answer = 'same'")
    await t.rejects(written, 'what was answered before stays')
  })

  await t.test('another agency compares its record with what its person has', async (t) => {
    const ticket = await ticketOf('insurer', [merge, conflict, another])
    t.match((await shown(operator))[0], { ticket, asked: 2, unasked: [merge] })
    const path = `/v1/tickets/${ticket}`
    const lines = expect(await insurer.get(`${path}/questions`), 200)
      .bytes.toString()
      .trim()
      .split('\n')
    t.same(
      lines.map((line) => line.split(',')[0]),
      ['case', ...conflicts.toSorted()],
    )
    t.same(
      lines.map((line) => line.split(',').slice(1).join()).toSorted(),
      ['I7Y,I7Z', 'I7Z,I7Y', 'serial_a,serial_b'],
      'and nothing of the registry',
    )
    const some = await insurer.put(`${path}/answers`, answersOf(`${conflict},not-same`))
    t.match(some, { status: 200, body: { answered: 1, asked: 2 } })
    t.match((await shown(insurer))[0], { state: 'open', answered: 1, hasList: true })
    const deps = {
      pool: service.database.pool('gyeol_api'),
      vault: await openVault(join(service.home, 'vault')),
    }
    t.equal(await expireQuestions(deps), 0)
    await admin.query(`update gyeol.ticket set opened_at = now() - interval '31 days'`)
    t.equal(await expireQuestions(deps), 1)
    t.same(await stage.listObjects(), [false, false])
    t.match(await leaves('expire-questions'), [{ object: ticket }])
    t.match((await shown(insurer))[0], { state: 'open', hasList: false }, 'and may be answered')
  })

  await t.test('a ticket that the agency can answer nothing of fails', async (t) => {
    const asked = expect(await request('insurer', [merge]), 202).body
    const ended = (await service.jobEnd(operator, asked.job)).body
    t.match(ended, { state: 'failed', refusal: { code: 'not-found' } })
    t.match((await shown(operator))[0], { ticket: asked.ticket, state: 'failed' })
    t.match(await insurer.get(`/v1/tickets/${asked.ticket}/questions`), notFound)
  })

  await t.test('an answer stands beside its case, and two people decide', async (t) => {
    const shownCases = new Map((await casesOf(linkage)).map((each) => [each.case, each]))
    t.match(shownCases.get(merge), { answer: 'same', decision: null, pending: null })
    t.match(shownCases.get(conflict), { answer: 'not-same', decision: null })
    t.match(shownCases.get(another), { answer: null })
    const path = `/v1/cases/${merge}/opinions`
    const yes = { verdict: 'must-link', reason }
    t.match(await operator.post(path, yes), { status: 201, body: { decision: null } })
    t.match(await two.post(path, yes), { status: 201, body: { decision: 'must-link' } })
  })

  await t.test('a newer linkage closes every ticket', async (t) => {
    const ticket = await ticketOf('insurer', [another])
    t.same((await stage.listObjects()).at(-1), true)
    const { url, tls } = insurer.reach
    const [ca, certificate, privateKey] = [tls.ca, tls.cert, tls.key].map(String)
    if (!ca || !certificate || !privateKey) throw new Error('an agency has a certificate')
    const client = openClient({ url, ca, certificate, privateKey, triesMax: 1 })
    const tickets = await askTickets(client, 'asked')
    const files = await fetchQuestions(client, tickets, service.home)
    t.same(files, [join(service.home, `${ticket}.csv`)], 'of the others there is no list')
    t.match(readFileSync(files[0] ?? '', 'utf8'), `${another},I7`)
    const answers = join(service.home, 'answers.csv')
    writeFileSync(answers, answersOf(`${merge},same`))
    await t.rejects(sendAnswers(client, ticket, answers), { code: 'input-malformed' })
    writeFileSync(answers, answersOf(`${another},unknown`))
    await sendAnswers(client, ticket, answers)
    client.close()
    t.match((await casesOf(linkage)).find((each) => each.case === another)?.answer, 'unknown')
    const newer = await link()
    const states = (await shown(operator)).map(({ state }: { state: string }) => state)
    t.same(states, ['closed', 'failed', 'closed', 'closed'])
    t.notOk((await stage.listObjects()).includes(true))
    const late = await insurer.put(`/v1/tickets/${ticket}/answers`, answersOf(`${another},same`))
    t.match(late, { status: 409, body: { type: /:state-conflict$/ } })
    t.match(await request('registry', [merge]), notFound, 'what was decided is no case any more')
    const left = new Map((await casesOf(newer)).map((each) => [each.case, each]))
    t.notOk(left.has(merge))
    t.match(left.get(conflict), { answer: 'not-same' }, 'an answer outlives its ticket')
  })

  await t.test(
    'the worklist in order, by what was said, page by page and as a table',
    async (t) => {
      const path = `/v1/linkages/${linkage}/cases`
      const list = async (query: string) => expect(await operator.get(`${path}${query}`), 200).body
      const ids = async (query: string): Promise<string[]> =>
        (await list(query)).cases.map((each: Case) => each.case)
      const all = await list('')
      t.same(
        all.cases.map((each: Case) => each.case),
        [merge, ...conflicts.toSorted()],
        'the gravest first',
      )
      t.same(all.counts, [
        { kind: 'merge', state: 'decided', cases: 1 },
        { kind: 'conflict', state: 'open', cases: 2 },
      ])
      t.same(await ids('?state=decided'), [merge])
      t.same(await ids('?state=open&pass=3&agency=insurer'), conflicts.toSorted())
      t.same(await ids('?pass=7'), [])
      const first = await list('?limit=1')
      t.same([first.cases.length, first.next], [1, merge])
      t.same(await ids(`?limit=5&after=${merge}`), conflicts.toSorted())
      t.match(await operator.get(`${path}?after=${linkage}`), notFound)
      t.match(await operator.get(`${path}?state=said`), malformed)
      t.match(await registry.get(`${path}.csv`), { status: 403 })

      const opinion = { verdict: 'cannot-link', reason }
      const both = await Promise.all(
        [operator, two].map((person) => person.post(`/v1/cases/${conflict}/opinions`, opinion)),
      )
      t.same(
        both.map(({ status }) => status),
        [201, 201],
      )
      const decided = both.map(({ body }) => body.decision).toSorted()
      t.same(decided, ['cannot-link', null], 'two at once make one decision')
      const sql = 'select from gyeol.case_decision where case_id = $1::uuid'
      t.equal((await admin.query(sql, [conflict])).rowCount, 1)
      await operator.post(`/v1/cases/${another}/opinions`, opinion)
      t.same(await ids('?state=pending'), [another])

      const sheet = expect(await operator.get(`${path}.csv?kind=conflict`), 200)
      t.equal(sheet.headers['content-type'], 'text/csv')
      const [header, ...lines] = sheet.bytes.toString().trim().split('\r\n')
      t.match(header, /^case,kind,state,agency,wave,pass,K1,/)
      t.same(
        lines.map((line) => line.split(',').slice(0, 7).join()).toSorted(),
        [
          `${conflict},conflict,decided,insurer,2,3,agrees`,
          `${another},conflict,pending,insurer,2,3,agrees`,
        ].toSorted(),
      )
      t.match(
        lines.find((line) => line.startsWith(another)),
        /,cannot-link,one,unknown,,,,,$/,
      )
    },
  )

  await t.test('no serial is in the database, the trail or an address', async (t) => {
    const tables = await admin.query<{ name: string }>(
      "select 'gyeol.' || relname as name from pg_class where relnamespace = 'gyeol'::regnamespace and relkind = 'r'",
    )
    const rows: string[] = []
    for (const { name } of tables.rows) {
      const found = await admin.query<{ row: string }>(`select r::text as row from ${name} r`)
      rows.push(...found.rows.map(({ row }) => row))
    }
    const entries = await admin.query<{ entry: string }>(
      "select convert_from(entry, 'UTF8') as entry from gyeol.audit_leaf",
    )
    const all = [...rows, ...entries.rows.map(({ entry }) => entry)].join('\n')
    t.match(all, merge, 'and the search would have found something')
    for (const serial of ['R0X', 'R1X', 'I7Y', 'I7Z']) t.notOk(all.includes(serial), serial)
  })
})
