import { setTimeout as sleep } from 'node:timers/promises'
import { type Test, test } from 'tap'
import type { ApiClient } from '../support/api-client.ts'
import { deliver, expect, makeCohort } from '../support/exchange.ts'
import { reviewersOf } from '../support/reviewers.ts'
import { keysPart, stageProposal, startHttpStage, tablePart } from './stage.ts'

const policy = {
  name: 'forbidden',
  version: '1',
  type: 'A',
  dates: 'relative',
  tables: { cases: { columns: { code: { rule: 'keep' } } } },
}
const said = { verdict: 'pass', reason: 'A test', declaresNoInterest: true }
const kinds = ['relevance', 'recognisability', 'safety'] as const

test('who may not', async (t) => {
  const { service, operator, spine, other } = await startHttpStage(t)
  for (const [agency, parts] of [
    [spine, [keysPart(20), tablePart('cases', 20)]],
    [other, [keysPart(20)]],
  ] as const) {
    await service.jobEnd(operator, (await deliver(agency, 'hostile', parts)).job)
  }
  const { linkage, cohort } = await makeCohort(service, operator, 'hostile')
  const { reviewers, head } = await reviewersOf(service, operator)
  const auditor = await service.person('auditor', ['auditor'])
  const plain = await service.person('plain', ['operator'])
  const lone = await service.person('lone', ['custodian'])
  const admin = service.database.pool('admin', 1)

  const built = async (by: ApiClient, periodMs: number) => {
    const validUntil = new Date(Date.now() + periodMs).toISOString()
    const terms = { recipient: 'recipient', purpose: 'A test', place: 'Room 1', validUntil }
    const asked = await by.post(`/v1/cohorts/${cohort}/releases`, { policy, ...terms })
    const { release, job } = expect(asked, 202).body
    await service.jobEnd(operator, job)
    const path = `/v1/releases/${release}`
    const { manifestSha256 } = expect(await operator.get(path), 200).body
    for (const [index, kind] of kinds.entries()) {
      const finding = { kind, manifestSha256, ...said }
      expect((await reviewers[index]?.post(`${path}/findings`, finding)) as never, 201)
    }
    return { path, release, approval: { manifestSha256, ...terms } }
  }
  /** The last leaf of the trail is the attempt: who, what, and that it was refused for this. */
  const recorded = async (t: Test, leaf: Record<string, unknown>): Promise<void> => {
    const { rows } = await admin.query<{ entry: Buffer }>(
      'select entry from gyeol.audit_leaf order by number desc limit 1',
    )
    t.match(JSON.parse(rows[0]?.entry.toString() ?? '{}'), { outcome: 'refused', ...leaf })
  }
  const release = await built(operator, 86_400_000)
  const forbidden = (name: string, action: string) => ({
    actor: { name },
    action,
    note: 'grant-missing',
  })

  await t.test('an auditor triggers no job', async (t) => {
    for (const [path, body, action] of [
      ['/v1/projects/hostile/linkages', {}, 'request-linkage'],
      ['/v1/projects/hostile/cohorts', { linkage }, 'request-cohort'],
      [
        `/v1/cohorts/${cohort}/releases`,
        {
          policy,
          recipient: 'recipient',
          purpose: 'x',
          place: 'x',
          validUntil: '2099-01-01T00:00:00Z',
        },
        'request-release',
      ],
      [`${release.path}/approval`, release.approval, 'approve-release'],
      [`${release.path}/recall`, { reason: 'x' }, 'recall-release'],
      [`${release.path}/destruction`, undefined, 'request-destruction'],
    ] as const) {
      t.equal((await auditor.post(path, body)).status, 403, action)
      await recorded(t, forbidden('auditor', action))
    }
  })

  await t.test('an operator reads no trail', async (t) => {
    t.equal((await plain.get('/v1/audit/entries')).status, 403)
    await recorded(t, forbidden('plain', 'search-trail'))
  })

  await t.test('an agency calls nothing that people do', async (t) => {
    for (const [path, body, action] of [
      ['/v1/projects/hostile/approval', undefined, 'approve-project'],
      ['/v1/projects/hostile/linkages', {}, 'request-linkage'],
      [`${release.path}/approval`, release.approval, 'approve-release'],
      [`${release.path}/recall`, { reason: 'x' }, 'recall-release'],
    ] as const) {
      t.equal((await spine.post(path, body)).status, 403, action)
      await recorded(t, forbidden('spine', action))
    }
    t.equal((await spine.get('/v1/audit/entries')).status, 403)
    await recorded(t, forbidden('spine', 'search-trail'))
    t.equal((await spine.get(release.path)).status, 403)
    await recorded(t, forbidden('spine', 'show-release'))
  })

  await t.test('an agency outside a project does not learn that there is one', async (t) => {
    const outside = await service.agency('outside')
    for (const path of ['', '/recipe', '/deliveries', '/match-rate', '/tickets']) {
      const unknown = await outside.get(`/v1/projects/nothing${path}`)
      const answer = await outside.get(`/v1/projects/hostile${path}`)
      t.same([answer.status, answer.body.detail], [404, unknown.body.detail], path)
    }
  })

  await t.test('nobody approves what they proposed', async (t) => {
    const proposal = { purpose: 'A test', ...stageProposal('own') }
    expect(await lone.post('/v1/projects', proposal), 201)
    t.equal((await lone.post('/v1/projects/own/approval')).status, 403)
    await recorded(t, { actor: { name: 'lone' }, action: 'approve-project', note: 'own-act' })
    const both = await service.person('both', ['operator', 'head'])
    const own = await built(both, 86_400_000)
    t.equal((await both.post(`${own.path}/approval`, own.approval)).status, 403)
    await recorded(t, { actor: { name: 'both' }, action: 'approve-release', note: 'own-act' })
  })

  await t.test(
    'nobody approves another manifest than the one reviewed, before or after',
    async (t) => {
      const changed = { ...release.approval, manifestSha256: 'f'.repeat(64) }
      const leaf = { actor: { name: 'head' }, action: 'approve-release', object: release.release }
      t.equal((await head.post(`${release.path}/approval`, changed)).status, 409)
      await recorded(t, { ...leaf, note: 'manifest-differs' })
      const approved = expect(await head.post(`${release.path}/approval`, release.approval), 202)
      await service.jobEnd(operator, approved.body.job)
      t.equal((await head.post(`${release.path}/approval`, changed)).status, 409)
      await recorded(t, { ...leaf, note: 'state-conflict' })
      const finding = { kind: 'safety', ...said, manifestSha256: 'f'.repeat(64) }
      t.equal((await reviewers[0].post(`${release.path}/findings`, finding)).status, 409)
      await recorded(t, { actor: { name: 'reviewer-one' }, action: 'record-finding' })
    },
  )

  await t.test('nobody approves after the period', async (t) => {
    const short = await built(operator, 6_000)
    await sleep(Math.max(0, Date.parse(short.approval.validUntil) - Date.now()) + 50)
    t.equal((await head.post(`${short.path}/approval`, short.approval)).status, 403)
    await recorded(t, {
      actor: { name: 'head' },
      action: 'approve-release',
      note: 'outside-period',
    })
  })
})
