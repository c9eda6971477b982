/** Steps of a job with marked values in them: failures included, and every place in which one could echo a value. */
import type { Test } from 'tap'
import type { TestRoles } from './all-roles.ts'
import type { ApiClient } from './api-client.ts'
import { csvPart, deliver, expect, type TestPart } from './exchange.ts'
import { key, keysPart, number, rows, serial, tablePart } from './marks.ts'

type People = { operator: ApiClient; reviewer: ApiClient; spine: ApiClient; other: ApiClient }

/** A second wave of keys alone; a trial; the list of who was linked; and the tables of those, failures included. */
export async function keysFirst(
  t: Test,
  roles: TestRoles,
  { operator, other }: Pick<People, 'operator' | 'other'>,
): Promise<void> {
  const ended = async (job: string) => (await roles.jobEnd(operator, job)).body
  const send = async (parts: TestPart[], delivery: string): Promise<void> => {
    const { job } = await deliver(other, 'secrecy', parts, 2)
    t.match((await ended(job)).result, { delivery })
  }
  const path = '/v1/projects/secrecy/linkages'
  await send([keysPart()], 'taken')
  const trial = expect(await operator.post(path, { trial: true }), 202).body
  t.match(await ended(trial.job), { state: 'done' })
  t.equal((await operator.post(path, { trial: serial(1) })).status, 400)
  const { linkage, job } = expect(await operator.post(path), 202).body
  t.match(await ended(job), { state: 'done' })
  const listOf = (id: string) => other.get(`/v1/linkages/${id}/extraction`)
  const list = expect(await listOf(linkage), 200)
    .bytes.toString()
    .trim()
    .split('\n')
  t.same(list.slice(1).sort(), rows.map(serial).sort(), 'the agency has its serials')
  t.equal((await listOf(trial.linkage)).status, 409)
  t.equal((await listOf(serial(1))).status, 400)
  t.equal((await listOf(`${linkage}/${serial(1)}`)).status, 404)
  const query = `${path.replace('linkages', 'match-rate')}?serial=${serial(1)}`
  t.notMatch(JSON.stringify((await other.get(query)).body), 'SERIALMARK')
  await send([tablePart('visits', [`x,C,20200101,${number(1)}`])], 'refused')
  await send([tablePart('visits')], 'taken')
}

/**
 * A case of two records of the registry and a doubted link: the worklist, what the registry is asked and answers, what two
 * people decide, and a list of doubts that no linkage has read when it is over.
 */
export async function askedAndDoubted(
  t: Test,
  roles: TestRoles,
  { operator, reviewer, spine, other }: People,
): Promise<void> {
  const path = '/v1/projects/secrecy'
  const ended = async (job: string) => (await roles.jobEnd(operator, job)).body
  const link = async (): Promise<string> => {
    const { linkage, job } = expect(await operator.post(`${path}/linkages`), 202).body
    t.match(await ended(job), { state: 'done' })
    return linkage
  }
  const listOf = (...lines: string[]): Buffer => Buffer.from(`${lines.join('\n')}\n`)
  const csv = { 'content-type': 'text/csv' }
  const corrected = csvPart('', 1, ['serial,K1', `${serial(1)},${key(0)}`])
  const { job } = await deliver(spine, 'secrecy', [corrected], 3)
  t.match((await ended(job)).result, { delivery: 'taken' })
  t.equal(
    (await other.put(`${path}/doubts`, listOf('serial', number(1), `${serial(2)} x`), csv)).status,
    400,
  )
  expect(await other.put(`${path}/doubts`, listOf('serial', serial(5)), csv), 200)

  const linkage = await link()
  const worklist = expect(await operator.get(`/v1/linkages/${linkage}/cases`), 200)
  const sheet = expect(await operator.get(`/v1/linkages/${linkage}/cases.csv`), 200)
  t.notMatch(`${worklist.bytes}${sheet.bytes}`, /MARK/, 'the worklist names nobody')
  const kinds = new Map<string, string>(
    worklist.body.cases.map((each: Record<string, string>) => [each['kind'], each['case']]),
  )
  const [merge = '', doubted = ''] = [kinds.get('merge'), kinds.get('doubted')]
  t.ok(merge && doubted, 'both kinds of case')
  t.equal((await operator.get(`/v1/linkages/${linkage}/cases?after=${serial(1)}`)).status, 400)
  t.equal((await operator.get(`/v1/linkages/${linkage}/cases?agency=${serial(1)}`)).status, 200)

  const ask = (agency: string, cases: string[]) =>
    operator.post(`${path}/tickets`, { agency, cases })
  t.equal((await ask('spine', [serial(1)])).status, 400)
  const asked = expect(await ask('spine', [merge]), 202).body
  t.match(await ended(asked.job), { state: 'done' })
  const ticket = `/v1/tickets/${asked.ticket}`
  const questions = expect(await spine.get(`${ticket}/questions`), 200).bytes.toString()
  t.match(questions, `${merge},${serial(0)},${serial(1)}`, 'the agency has its own serials')
  const answer = (...lines: string[]) =>
    spine.put(`${ticket}/answers`, listOf('case,answer', ...lines), csv)
  t.equal((await answer(`${serial(1)},same`, `${merge},${number(1)}`)).status, 400)
  expect(await answer(`${merge},same`), 200)
  const second = expect(await ask('other', [doubted]), 202).body
  t.match(await ended(second.job), { state: 'failed' }, 'one record alone cannot be compared')

  t.equal((await operator.post(`/v1/cases/${serial(1)}/opinions`, {})).status, 400)
  for (const [about, verdict] of [
    [merge, 'must-link'],
    [doubted, 'cannot-link'],
  ]) {
    const opinion = { verdict, reason: 'A test' }
    const said = `/v1/cases/${about}/opinions`
    t.equal((await operator.post(said, { ...opinion, verdict: serial(1) })).status, 400)
    for (const person of [operator, reviewer]) expect(await person.post(said, opinion), 201)
  }
  await link()
  expect(await other.put(`${path}/doubts`, listOf('serial', ...rows.map(serial)), csv), 200)
}
