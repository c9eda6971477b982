import { test } from 'tap'
import type { ApiClient } from '../support/api-client.ts'
import {
  csvPart,
  deliver,
  expect,
  makeCohort,
  openTestProject,
  takeRelease,
  testKey,
} from '../support/exchange.ts'
import { reviewersOf } from '../support/reviewers.ts'
import { startTestService } from '../support/service.ts'

const title = { en: 'Title', ko: '제목' }
const text = { type: 'text', lengthMax: 20, title }
const people = 30
const reason = 'The same name, birth and address in the chart'

const policy = {
  name: 'waves',
  version: '1',
  type: 'A',
  domain: 'study',
  dates: 'relative',
  formats: ['csv'],
  tables: {
    tumours: { columns: { site: { rule: 'keep' } } },
    deaths: { columns: { cause: { rule: 'keep' } } },
  },
}

const keysOf = (rows: readonly (readonly [serial: string, number: string])[]) =>
  csvPart('', 1, ['serial,K1', ...rows.map(([serial, number]) => `${serial},${testKey(number)}`)])
const everybody = Array.from({ length: people }, (_, at) => [`r${at}`, `n${at}`] as const)

/** Rows of a table of a release as text, by pseudonym. */
function rowsOf(files: Map<string, Buffer>, table: string): string[][] {
  const parts = [...files].filter(([name]) => name.startsWith(`data/${table}/`))
  return parts.flatMap(([, bytes]) =>
    bytes
      .toString()
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',')),
  )
}

test('three waves of one project', async (t) => {
  const service = await startTestService(t)
  const operator = await service.person('one', ['operator', 'custodian'])
  const two = await service.person('two', ['custodian'])
  const auditor = await service.person('auditor', ['auditor'])
  const between = await reviewersOf(service, operator)
  const registry = await service.agency('registry')
  const statistics = await service.agency('statistics')
  await openTestProject([operator, two], {
    name: 'waves',
    recipe: { version: 'gyeol-1', fields: { number: 'identifier' }, keyTypes: { K1: ['number'] } },
    rules: { cellMin: 1 },
    catalogue: {
      name: 'waves',
      version: '1',
      tables: {
        tumours: { agency: 'registry', title, columns: { site: text } },
        deaths: { agency: 'statistics', title, columns: { cause: text } },
      },
    },
    agencies: [
      { agency: 'registry', isSpine: true, keyTypes: ['K1'] },
      { agency: 'statistics', isDuplicateFree: true, keyTypes: ['K1'] },
    ],
  })
  const send = async (agency: ApiClient, wave: number, parts: Parameters<typeof deliver>[2]) => {
    const { job } = await deliver(agency, 'waves', parts, wave)
    t.match((await service.jobEnd(operator, job)).body.result, { delivery: 'taken' })
  }
  const linked = async (linkage: string) =>
    expect(await operator.get(`/v1/linkages/${linkage}`), 200).body
  const casesOf = async (linkage: string, query = '') =>
    expect(await operator.get(`/v1/linkages/${linkage}/cases${query}`), 200).body.cases

  await send(registry, 1, [
    keysOf(everybody),
    csvPart('tumours', 1, [
      'serial,site',
      ...everybody.map(([serial]) => `${serial},C50 of ${serial}`),
    ]),
  ])
  await send(statistics, 1, [
    keysOf([['d0', 'n0']]),
    csvPart('deaths', 1, ['serial,cause', 'd0,C50']),
  ])
  const first = await makeCohort(service, operator, 'waves')
  const one = await takeRelease(service, between, { cohort: first.cohort, policy })

  // The registry finds that r1 is r0 and r3 has another number; statistics knows of a change of number.
  await send(registry, 2, [
    keysOf([
      ['r1', 'n0'],
      ['r3', 'm3'],
      ['r30', 'n30'],
    ]),
    csvPart('tumours', 1, ['serial,site', 'r30,C34 of r30']),
  ])
  await send(statistics, 2, [
    keysOf([
      ['d4', 'n4'],
      ['d3', 'm3'],
    ]),
    csvPart('#notices', 1, ['old_K1,new_K1', `${testKey('n4')},${testKey('n5')}`]),
    csvPart('deaths', 1, ['serial,cause', 'd4,I21', 'd3,C34']),
  ])
  const asked = expect(await operator.post('/v1/projects/waves/linkages'), 202).body
  t.match(await operator.post('/v1/projects/waves/linkages'), { status: 409 }, 'one at a time')
  await service.jobEnd(operator, asked.job)

  await t.test('tells what a wave changed', async (t) => {
    const { report, persons } = await linked(asked.linkage)
    t.equal(persons, 30, 'one was founded, and a notice made one of two')
    t.match(report.change, {
      version: 2,
      founded: 1,
      kept: 29,
      merged: 1,
      split: 0,
      attached: 2,
      detached: 0,
      held: 1,
      cases: { merge: 1, conflict: 0, possible: 0 },
    })
  })

  await t.test('lists a case without identifiers, and two people decide it', async (t) => {
    const cases = await casesOf(asked.linkage)
    t.match(cases, [{ kind: 'merge', agency: 'registry', wave: 2, decision: null, pending: null }])
    t.same(await casesOf(asked.linkage, '?kind=possible'), [])
    t.same(await casesOf(asked.linkage, `?after=${cases[0].case}`), [])
    const path = `/v1/cases/${cases[0].case}/opinions`
    const yes = { verdict: 'must-link', reason }
    t.match(await operator.get(`/v1/linkages/${asked.linkage}/cases?limit=0`), { status: 400 })
    t.match(await auditor.post(path, yes), { status: 403 })
    t.match(await registry.get(`/v1/linkages/${asked.linkage}/cases`), { status: 403 })
    t.match(await operator.post(`/v1/cases/${asked.linkage}/opinions`, yes), { status: 404 })
    t.match(await operator.post(path, yes), { status: 201, body: { decision: null } })
    t.match(await operator.post(path, yes), { status: 403, body: { type: /:own-act$/ } })
    t.match(await casesOf(asked.linkage), [
      { decision: null, pending: 'must-link', pendingBy: 'one' },
    ])
    const [reviewer, another] = between.reviewers
    const no = { verdict: 'cannot-link', reason }
    t.match(
      await reviewer.post(path, no),
      { status: 201, body: { decision: null } },
      'no agreement',
    )
    t.match(await another.post(path, yes), { status: 201, body: { decision: null } })
    t.match(await reviewer.post(path, yes), { status: 201, body: { decision: 'must-link' } })
    t.match(await casesOf(asked.linkage), [{ decision: 'must-link', pending: null }])
    const admin = service.database.pool('admin', 1)
    const { rows } = await admin.query<{ entry: Buffer }>(
      "select entry from gyeol.audit_leaf where action = 'judge-case' order by number",
    )
    const notes = rows.map(({ entry }) => JSON.parse(entry.toString()).note)
    t.equal(notes.at(-1), 'must-link: decided')
    t.notOk(JSON.stringify(notes).includes(reason), 'what people wrote is not in the trail')
    await t.rejects(
      admin.query(
        'insert into gyeol.case_decision select gen_random_uuid(), project_id, case_id, verdict, first_opinion_id, first_by, first_opinion_id, first_by from gyeol.case_decision',
      ),
      { message: /case_is_decided_by_two_people/ },
    )
  })

  await t.test('the next release of the domain tells whose pseudonym is whose now', async (t) => {
    const born = Array.from({ length: 10 }, (_, at) => [`r${at + 31}`, `n${at + 31}`] as const)
    await send(registry, 3, [
      keysOf(born),
      csvPart('tumours', 1, [
        'serial,site',
        ...born.map(([serial]) => `${serial},C16 of ${serial}`),
      ]),
    ])
    const third = await makeCohort(service, operator, 'waves')
    const { report, persons } = await linked(third.linkage)
    t.match([persons, report.change], [39, { version: 3, founded: 10, merged: 1, held: 0 }])
    const later = await takeRelease(service, between, { cohort: third.cohort, policy })
    const siteOf = (files: Map<string, Buffer>) =>
      new Map(rowsOf(files, 'tumours').map(([pseudonym = '', site = '']) => [site, pseudonym]))
    const [before, now] = [siteOf(one), siteOf(later)]
    t.equal(now.size, people + 11, 'a merge neither loses nor doubles a tumour')
    t.equal(rowsOf(later, 'tumours').length, people + 11)
    t.equal(now.get('C50 of r1'), now.get('C50 of r0'))
    t.equal(now.get('C50 of r5'), now.get('C50 of r4'))
    for (const at of [2, 3, 6, 7, 29])
      t.equal(
        now.get(`C50 of r${at}`),
        before.get(`C50 of r${at}`),
        'who did not change keeps the name',
      )
    const deaths = rowsOf(later, 'deaths')
    t.same(
      deaths.map(([pseudonym]) => pseudonym).sort(),
      [now.get('C50 of r0'), now.get('C50 of r3'), now.get('C50 of r4')].sort(),
      'nor does it lose a death',
    )
    const [header, ...changes] =
      later.get('pseudonym-changes.csv')?.toString().trim().split('\n') ?? []
    t.equal(header, 'pseudonym_before,pseudonym_after,reason')
    const expected = [0, 4].map((at) => {
      const name = now.get(`C50 of r${at}`)
      const [a, b] = [before.get(`C50 of r${at}`), before.get(`C50 of r${at + 1}`)]
      return `${a === name ? b : a},${name},merge`
    })
    t.same(changes, expected.sort())
    t.notOk(one.has('pseudonym-changes.csv'), 'the first release of a domain has nothing to tell')
  })
})
