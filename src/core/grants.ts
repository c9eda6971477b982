/**
 * Who may do what. One table, read by every action before it does anything; the database's own grants stand behind it.
 *
 * People hold roles; an agency is what its client certificate says it is and acts for itself only, which each action
 * checks against the object. Nobody approves what they proposed: see the `own-act` refusals and the constraints of the
 * same promise in the database.
 */
import { Refusal } from './errors.ts'

export const roles = ['operator', 'custodian', 'reviewer', 'head', 'auditor', 'recipient'] as const
export type Role = (typeof roles)[number]

/** Who is asking. `from` is the network address, for the trail. */
export type Caller =
  | { kind: 'account'; id: string; name: string; roles: readonly Role[]; from: string }
  | { kind: 'agency'; id: string; name: string; from: string }

/** What each role may do. `agency` stands for any agency of the project concerned. */
const grants = {
  'propose-project': ['operator', 'custodian'],
  'approve-project': ['custodian'],
  'propose-key-change': ['custodian'],
  'approve-key-change': ['custodian'],
  'show-project': ['operator', 'custodian', 'reviewer', 'head', 'auditor', 'agency'],
  'show-recipe': ['agency'],
  'answer-canaries': ['agency'],
  'open-delivery': ['agency'],
  'store-part': ['agency'],
  'submit-delivery': ['agency'],
  'withdraw-delivery': ['agency'],
  'show-delivery': ['agency', 'operator', 'auditor'],
  'show-job': ['agency', 'operator', 'auditor'],
  'request-linkage': ['operator'],
  'show-linkage': ['operator', 'reviewer', 'auditor'],
  'show-cases': ['operator', 'custodian', 'reviewer', 'auditor'],
  'judge-case': ['operator', 'custodian', 'reviewer'],
  'request-ticket': ['operator', 'custodian', 'reviewer'],
  'show-tickets': ['operator', 'custodian', 'reviewer', 'auditor', 'agency'],
  'read-questions': ['agency'],
  'answer-ticket': ['agency'],
  'file-doubts': ['agency'],
  'show-quality': ['operator', 'reviewer', 'auditor'],
  'show-match-rate': ['operator', 'auditor', 'agency'],
  'read-extraction': ['agency'],
  'request-cohort': ['operator'],
  'show-cohort': ['operator', 'reviewer', 'auditor'],
  'request-release': ['operator'],
  'show-release': ['operator', 'custodian', 'reviewer', 'head', 'auditor', 'recipient'],
  'show-disclosure': ['operator', 'reviewer', 'head', 'auditor'],
  'show-releases': ['operator', 'auditor'],
  'show-downloads': ['operator', 'custodian', 'head', 'auditor'],
  'record-finding': ['reviewer'],
  'approve-release': ['head'],
  'read-release-file': ['recipient'],
  'recall-release': ['operator', 'custodian', 'reviewer', 'head'],
  'report-end': ['recipient'],
  'request-destruction': ['operator', 'custodian'],
  'search-trail': ['auditor'],
  'register-witness': ['custodian'],
  'retire-witness': ['custodian'],
  'add-cosignature': ['auditor', 'agency'],
  'show-checkpoint': [
    'operator',
    'custodian',
    'reviewer',
    'head',
    'auditor',
    'recipient',
    'agency',
  ],
} as const satisfies Record<string, readonly (Role | 'agency')[]>

export type Act = keyof typeof grants

/**
 * Lets the caller pass if one of its roles may do the act.
 *
 * @throws {Refusal} `grant-missing`.
 */
export function authorize(caller: Caller, act: Act): void {
  const allowed: readonly string[] = grants[act]
  const held: readonly string[] = caller.kind === 'agency' ? ['agency'] : caller.roles
  if (!held.some((role) => allowed.includes(role))) {
    throw new Refusal('grant-missing', 'The caller has no role that may do this.')
  }
}

/** The account behind a caller. @throws {Refusal} `grant-missing` if an agency calls. */
export function accountOf(caller: Caller): Extract<Caller, { kind: 'account' }> {
  if (caller.kind !== 'account') {
    throw new Refusal('grant-missing', 'Only a person with an account may do this.')
  }
  return caller
}

/** The agency behind a caller. @throws {Refusal} `grant-missing` if a person calls. */
export function agencyOf(caller: Caller): Extract<Caller, { kind: 'agency' }> {
  if (caller.kind !== 'agency') {
    throw new Refusal('grant-missing', 'Only an agency with its client certificate may do this.')
  }
  return caller
}
