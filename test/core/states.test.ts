import fc from 'fast-check'
import { test } from 'tap'
import {
  dutiesAfter,
  type ReleaseAct,
  type ReleaseState,
  releaseActs,
  releaseStates,
  stateAfter,
} from '../../src/core/states.ts'
import { startTestDatabase } from '../support/database.ts'

/** How far a release has come: no act ever leads back. */
const place: Record<ReleaseState, number> = {
  queued: 0,
  built: 1,
  approved: 2,
  ready: 3,
  recalled: 4,
  expired: 4,
  failed: 4,
  ended: 5,
  destroyed: 6,
}

function after(state: ReleaseState, act: ReleaseAct): ReleaseState | undefined {
  try {
    return stateAfter(state, act)
  } catch {
    return undefined
  }
}

test('whatever is tried in whatever order, a release goes forward only', (t) => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...releaseActs), { maxLength: 40 }), (acts) => {
      let state: ReleaseState = 'queued'
      const done: ReleaseAct[] = []
      for (const act of acts) {
        const next = after(state, act)
        if (next === undefined) continue
        if (place[next] <= place[state]) throw new Error(`${state} to ${next}`)
        state = next
        done.push(act)
      }
      const at = (act: ReleaseAct): number => done.indexOf(act)
      if (new Set(done).size !== done.length) throw new Error('an act was done twice')
      if (at('approve') >= 0 && at('build') < 0) throw new Error('approved before it was built')
      if (at('publish') >= 0 && at('approve') < 0) throw new Error('open before it was approved')
      if (at('destroy') >= 0 && at('destroy') !== done.length - 1) throw new Error('after the end')
      for (const end of ['recall', 'expire'] as const) {
        if (at(end) >= 0 && at('publish') > at(end)) throw new Error('opened after its end')
      }
    }),
    { numRuns: 2_000 },
  )
  t.equal(after('destroyed', 'recall'), undefined)
  t.end()
})

test('every living release can be stopped, and every ended one destroyed', (t) => {
  for (const state of ['queued', 'built', 'approved', 'ready'] as const) {
    t.equal(after(state, 'recall'), 'recalled')
  }
  for (const state of ['recalled', 'expired', 'ended', 'failed'] as const) {
    t.equal(after(state, 'destroy'), 'destroyed')
    t.equal(after(state, 'approve'), undefined)
    t.equal(after(state, 'publish'), undefined)
  }
  const now = new Date('2026-01-01T00:00:00Z')
  const [soon, later] = [dutiesAfter('recall', now), dutiesAfter('expire', now)]
  t.ok(soon.destructionDueAt < later.destructionDueAt && soon.endReportDueAt > now)
  t.end()
})

test('the database allows exactly these moves', async (t) => {
  const database = await startTestDatabase(t)
  const admin = database.pool('admin', 1)
  const { rows } = await admin.query<{ source: string }>(
    `select prosrc as source from pg_proc where proname = 'require_release_order'`,
  )
  const inDatabase = [...(rows[0]?.source ?? '').matchAll(/\('(\w+)', '(\w+)'\)/g)].map(
    ([, from, to]) => `${from} ${to}`,
  )
  const inCode = releaseStates.flatMap((from) =>
    releaseActs.flatMap((act) => {
      const to = after(from, act)
      return to === undefined ? [] : [`${from} ${to}`]
    }),
  )
  t.same([...inDatabase].sort(), [...new Set(inCode)].sort())
})
