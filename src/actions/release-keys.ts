/**
 * Which keys a release uses and what for. Pseudonyms and shifts are of its domain, so that releases of one domain can be
 * joined; numbers of institutions, claims and providers are of the release alone, and so is the key to which its files are
 * sealed: with it all of them are destroyed, wherever copies lie.
 */
import { type SensitiveClass, sensitiveLists } from '../catalogue/sensitive.ts'
import { isIncluded } from '../core/disclosure-report.ts'
import { type Policy, policySchema } from '../core/policy.ts'
import type { KeyRef } from '../keys/keyring.ts'
import type { Release } from '../store/releases.ts'
import type { WorkerDeps } from './deps.ts'

/** The keys that the policy of a release asks for. */
export function releaseKeys(release: Release): {
  pseudonym: KeyRef & { purpose: 'pseudonym' }
  sealing: KeyRef
  date?: KeyRef
  rekey?: KeyRef
} {
  const policy = policySchema.parse(release.policy)
  const rules = Object.values(policy.tables).flatMap(({ columns }) => Object.values(columns))
  const { projectId: project, domain } = release
  return {
    pseudonym: { purpose: 'pseudonym', project, domain },
    sealing: { purpose: 'sealing', project, domain: release.id },
    ...(policy.dates === 'shift' && { date: { purpose: 'date', project, domain } }),
    ...(rules.some(({ rule }) => rule === 'rekey') && { rekey: rekeyRef(release) }),
  }
}

/** The column function behind `rekey`: n × 32 bytes to n × 16. The key is looked up when it is first used. */
export function rekeyOf(deps: WorkerDeps, release: Release): (column: Uint8Array) => Uint8Array {
  return (column) => deps.keyring.macColumn(rekeyRef(release), column, 32)
}

/** The sensitive classes that do not leave under a policy. */
export function sensitiveClassesOf(policy: Policy): SensitiveClass[] {
  return Object.entries(sensitiveLists().classes).flatMap(([name, lists]) =>
    isIncluded(policy, name) ? [] : [lists],
  )
}

function rekeyRef({ projectId, id }: Release): KeyRef {
  return { purpose: 'rekey', project: projectId, domain: id }
}
