import { createHash } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { openClient } from '../../src/agency/client.ts'
import { sendDoubts } from '../../src/agency/tickets.ts'
import { csvPart, deliver, expect, testKey } from '../support/exchange.ts'
import { startHttpStage } from './stage.ts'

const people = Array.from({ length: 30 }, (_, at) => at)
const keysOf = (prefix: string) =>
  csvPart('', 1, ['serial,K1', ...people.map((at) => `${prefix}${at},${testKey(`${at}`)}`)])
const listOf = (...serials: string[]): Buffer =>
  Buffer.from(`${['serial', ...serials].join('\n')}\n`)
const path = '/v1/projects/hostile/doubts'

test('an agency doubts a perfect link, two people decide, and the next linkage does as they say', async (t) => {
  const { service, operator, spine, other } = await startHttpStage(t)
  const reviewer = await service.person('reviewer', ['reviewer'])
  const outsider = await service.agency('outsider')
  const admin = service.database.pool('admin', 1)
  for (const [agency, prefix] of [
    [spine, 'SPINE-'],
    [other, 'OTHER-'],
  ] as const) {
    const { job } = await deliver(agency, 'hostile', [keysOf(prefix)])
    t.match((await service.jobEnd(operator, job)).body.result, { delivery: 'taken' })
  }
  const link = async (body = {}) => {
    const asked = expect(await operator.post('/v1/projects/hostile/linkages', body), 202).body
    t.match((await service.jobEnd(operator, asked.job)).body, { state: 'done' })
    const listed = expect(await operator.get(`/v1/linkages/${asked.linkage}/cases`), 200).body
    const { rows } = await admin.query<{ linked: number }>(
      `select l.linked from gyeol.link_map l join gyeol.delivery using (delivery_id) join gyeol.agency a using (agency_id)
       where l.linkage_id = $1::uuid and a.name = 'other'`,
      [asked.linkage],
    )
    return { linked: rows[0]?.linked, cases: listed.cases, all: listed }
  }
  const live = async (): Promise<string[]> => {
    const { rows } = await admin.query<{ id: string }>(
      `select object_id as id from gyeol.vault_object where kind = 'doubts' and destroyed_at is null`,
    )
    return rows.map(({ id }) => id)
  }
  const isInVault = (id: string): boolean =>
    existsSync(join(service.home, 'vault', id.slice(0, 2), id))
  t.match(await link(), { linked: 30, cases: [] })

  await t.test('who may not, and what is no list', async (t) => {
    const csv = { 'content-type': 'text/csv' }
    t.equal((await operator.put(path, listOf('OTHER-1'), csv)).status, 403)
    t.equal((await outsider.put(path, listOf('OTHER-1'), csv)).status, 404)
    const wrong: [string, Buffer][] = [
      ['no header', Buffer.from('OTHER-1\n')],
      ['a second column', Buffer.from('serial,why\nOTHER-1,MARK\n')],
      ['a serial that is none', listOf('OTHER-1', 'MARK MARK')],
      ['an empty line', listOf('OTHER-1', '', 'OTHER-2')],
      ['too many', listOf(...Array.from({ length: 10_001 }, (_, at) => `s${at}`))],
      ['nothing at all', Buffer.alloc(0)],
    ]
    for (const [what, bytes] of wrong) {
      const answer = await other.put(path, bytes, csv)
      t.match(answer, { status: 400, body: { type: /:input-malformed$/ } }, what)
      t.notMatch(JSON.stringify(answer.body), /MARK|OTHER/)
    }
    const digest = `sha-256=:${createHash('sha256').update('x').digest('base64')}:`
    const changed = await other.put(path, listOf('OTHER-1'), { ...csv, 'content-digest': digest })
    t.equal(changed.status, 422)
    const large = Buffer.alloc(700_000, 'x')
    t.equal((await other.put(path, large, csv)).status, 413)
    t.same(await live(), [])
  })

  const { url, tls } = other.reach
  const [ca, certificate, privateKey] = [tls.ca, tls.cert, tls.key].map(String)
  if (!ca || !certificate || !privateKey) throw new Error('an agency has a certificate')
  const client = openClient({ url, ca, certificate, privateKey, triesMax: 1 })
  t.teardown(() => client.close())
  const file = join(service.home, 'doubts.csv')
  const send = async (...serials: string[]): Promise<void> => {
    writeFileSync(file, listOf(...serials))
    await sendDoubts(client, 'hostile', file)
  }
  await t.rejects(send('OTHER-1', 'MARK MARK'), {
    code: 'input-malformed',
    details: { lines: '3' },
  })
  writeFileSync(file, Buffer.alloc(20_000_000, 'x'))
  await t.rejects(sendDoubts(client, 'hostile', file), { code: 'input-malformed' }, 'no list')
  const tooLong = client.put('/v1/projects/hostile/doubts', {
    ...{ path: file, bytes: 20_000_000, mediaType: 'text/csv' },
    sha256: createHash('sha256').update(Buffer.alloc(20_000_000, 'x')).digest('hex'),
  })
  await t.rejects(tooLong, { name: 'Refusal', code: 'body-too-large' })
  await send('OTHER-9')
  const [first = ''] = await live()
  t.ok(isInVault(first))
  await send('OTHER-4', 'OTHER-4', 'NOBODY-1', 'SPINE-3')
  const [second = ''] = await live()
  t.notOk(isInVault(first), 'a later list stands instead')
  t.match(await link({ trial: true }), { linked: undefined }, 'no map')
  t.same(await live(), [second], 'a trial does not take it')

  const doubted = await link()
  t.match(doubted, {
    linked: 30,
    cases: [
      { kind: 'doubted', agency: 'other', wave: 1, pass: 2, state: 'open', nameShared: null },
    ],
  })
  t.equal(doubted.cases.length, 1, 'of a serial of the other agency nothing is learned')
  t.notMatch(JSON.stringify(doubted.all), /OTHER-|SPINE-/)
  t.same(await live(), [])
  t.notOk(isInVault(second), 'the list is destroyed when it is read')
  const opinion = `/v1/cases/${doubted.cases[0].case}/opinions`
  const say = (verdict: string) => ({ verdict, reason: 'Two charts' })
  t.match(await operator.post(opinion, say('cannot-link')), { body: { decision: null } })
  t.equal((await operator.post(opinion, say('cannot-link'))).status, 403)
  t.match(await reviewer.post(opinion, say('cannot-link')), { body: { decision: 'cannot-link' } })
  t.match(await link(), { linked: 29, cases: [] })
  for (const person of [operator, reviewer]) {
    expect(await person.post(opinion, say('undecided')), 201)
  }
  t.match(await link(), { linked: 30, cases: [{ kind: 'doubted', state: 'open' }] }, 'taken back')
  const { rows } = await admin.query<{ entry: Buffer }>(
    "select entry from gyeol.audit_leaf where action = 'file-doubts' order by number",
  )
  const leaves = rows.map(({ entry }) => JSON.parse(entry.toString()))
  t.match(
    leaves.filter(({ outcome }) => outcome === 'done').map(({ counts }) => counts.serials),
    [1, 3],
  )
  t.notMatch(JSON.stringify(leaves), /OTHER-|NOBODY/)
})
