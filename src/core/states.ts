/**
 * The life of a release, as one table: from each state the acts that may follow and where they lead. Everything else is
 * refused. RELEASE.md, "Review and approval".
 */
import { Refusal } from './errors.ts'

export type ReleaseState =
  | 'queued'
  | 'built'
  | 'approved'
  | 'ready'
  | 'recalled'
  | 'expired'
  | 'destroyed'
  | 'failed'

export type ReleaseAct = 'build' | 'fail' | 'approve' | 'publish' | 'recall' | 'expire' | 'destroy'

const transitions: Record<ReleaseState, Partial<Record<ReleaseAct, ReleaseState>>> = {
  queued: { build: 'built', fail: 'failed' },
  built: { approve: 'approved', recall: 'recalled' },
  approved: { publish: 'ready', recall: 'recalled', expire: 'expired' },
  ready: { recall: 'recalled', expire: 'expired' },
  recalled: { destroy: 'destroyed' },
  expired: { destroy: 'destroyed' },
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
