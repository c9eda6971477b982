/**
 * The life of a release, as one table: from each state the acts that may follow and where they lead. Everything else is
 * refused, here and by a trigger in the database that holds the same table. RELEASE.md, "Review and approval".
 *
 *   queued → built → approved → ready → recalled or expired → ended → destroyed, and failed
 *
 * A release can be stopped as long as it lives. What the recipient still owes does not keep us from destroying ours.
 */
import { Refusal } from './errors.ts'

export const releaseStates = [
  'queued',
  'built',
  'approved',
  'ready',
  'recalled',
  'expired',
  'ended',
  'destroyed',
  'failed',
] as const
export type ReleaseState = (typeof releaseStates)[number]

export const releaseActs = [
  'build',
  'fail',
  'approve',
  'publish',
  'recall',
  'expire',
  'report-end',
  'destroy',
] as const
export type ReleaseAct = (typeof releaseActs)[number]

const transitions: Record<ReleaseState, Partial<Record<ReleaseAct, ReleaseState>>> = {
  queued: { build: 'built', fail: 'failed', recall: 'recalled' },
  built: { approve: 'approved', recall: 'recalled', expire: 'expired' },
  approved: { publish: 'ready', recall: 'recalled', expire: 'expired' },
  ready: { recall: 'recalled', expire: 'expired', 'report-end': 'ended' },
  recalled: { 'report-end': 'ended', destroy: 'destroyed' },
  expired: { 'report-end': 'ended', destroy: 'destroyed' },
  ended: { destroy: 'destroyed' },
  failed: { destroy: 'destroyed' },
  destroyed: {},
}

/**
 * The state after an act.
 *
 * @throws {Refusal} `state-conflict` if the act does not follow from the state.
 */
export function stateAfter(state: ReleaseState, act: ReleaseAct): ReleaseState {
  const next = transitions[state][act]
  if (!next) {
    throw new Refusal('state-conflict', 'The release is not in a state in which this can be done.')
  }
  return next
}

const dayMs = 86_400_000
const days = {
  recall: { endReport: 3, destruction: 7 },
  end: { endReport: 14, destruction: 30 },
} as const

/**
 * What is due when after a release has ended: the recipient's report, and the destruction of the recipient's copies and of
 * ours. After a recall it is due sooner.
 */
export function dutiesAfter(
  act: 'recall' | 'expire' | 'report-end',
  now: Date,
): { endReportDueAt: Date; destructionDueAt: Date } {
  const { endReport, destruction } = act === 'recall' ? days.recall : days.end
  return {
    endReportDueAt: new Date(now.getTime() + endReport * dayMs),
    destructionDueAt: new Date(now.getTime() + destruction * dayMs),
  }
}
