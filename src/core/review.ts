/**
 * Who may review a release and what its approval needs (Enforcement Decree article 29-3(4); RELEASE.md, "Review and
 * approval"). Three questions, each answered with pass by somebody and with fail by nobody; as many different reviewers as
 * the project's risk grade asks for, seven at most; nobody judges what is their own.
 */
import { z } from 'zod'
import { Refusal } from './errors.ts'

/** How much harm a release of the project could do: where it goes and what it holds. */
export const riskGrades = ['controlled-room', 'third-party', 'high-risk'] as const
export type RiskGrade = (typeof riskGrades)[number]

const reviewersByGrade = { 'controlled-room': 1, 'third-party': 2, 'high-risk': 3 } as const
export const reviewersMax = 7

const findingKinds = ['relevance', 'recognisability', 'safety'] as const
export type FindingKind = (typeof findingKinds)[number]

/** Witnesses that a project may have. */
export const witnessesMax = 16

const text = (about: string) => z.string().min(1).max(500).nullable().default(null).describe(about)

/** What a project says about its ground and its review; all of it may be left out. */
export const reviewShape = {
  riskGrade: z
    .enum(riskGrades)
    .default('controlled-room')
    .describe('Of its releases: 1, 2 or 3 different reviewers'),
  reviewersMin: z
    .int()
    .min(1)
    .max(reviewersMax)
    .nullable()
    .default(null)
    .describe('More reviewers than the grade asks for'),
  cosignaturesMin: z
    .int()
    .min(0)
    .max(witnessesMax)
    .default(0)
    .describe('Witnesses that must have cosigned the building of a release before its approval'),
  legalBasis: text('Statute and article under which data is combined'),
  noticeVersion: text('Version of the notice under which the agencies give'),
  irbNumber: text('Of the institutional review board'),
  boardNumber: text('Of the data review board'),
}

type Strictness = { riskGrade: RiskGrade; reviewersMin: number | null }

/** How many different reviewers a release of the project needs. */
export function reviewersNeeded({ riskGrade, reviewersMin }: Strictness): number {
  return Math.max(reviewersMin ?? 0, reviewersByGrade[riskGrade])
}

/** @throws {Refusal} `input-malformed` if fewer reviewers are asked for than the grade needs. */
export function requireReviewersOfGrade({ riskGrade, reviewersMin }: Strictness): void {
  if (reviewersMin !== null && reviewersMin < reviewersByGrade[riskGrade]) {
    throw new Refusal(
      'input-malformed',
      'The risk grade needs more reviewers than the project asks for.',
      { reviewersOfGrade: reviewersByGrade[riskGrade] },
    )
  }
}

/** A finding as far as it counts: who answered which question how, about which manifest. */
export type Vote = {
  kind: FindingKind
  verdict: 'pass' | 'fail'
  reviewerId: string
  manifestSha256: Uint8Array
}

/**
 * Whether the findings about exactly this manifest suffice.
 *
 * @throws {Refusal} `finding-missing` with the questions and the reviewers that are missing.
 */
export function requireFindings(
  findings: readonly Vote[],
  manifestSha256: Uint8Array,
  needed: number,
): void {
  const about = findings.filter((each) => Buffer.compare(each.manifestSha256, manifestSha256) === 0)
  const passed = about.filter(({ verdict }) => verdict === 'pass')
  const questions = findingKinds.filter((kind) => !passed.some((each) => each.kind === kind)).length
  const reviewers = Math.max(0, needed - new Set(passed.map((each) => each.reviewerId)).size)
  if (questions + reviewers > 0 || passed.length < about.length) {
    throw new Refusal(
      'finding-missing',
      'Each of three questions needs a passing finding and none that fails, by enough reviewers.',
      { questionsMissing: questions, reviewersMissing: reviewers },
    )
  }
}

/**
 * Whether enough witnesses have cosigned.
 *
 * @param cosignatures - of witnesses of the project, under one checkpoint that covers the building of the release.
 * @throws {Refusal} `cosignatures-missing` with how many there are and how many are needed.
 */
export function requireCosignatures(
  cosignatures: number,
  { cosignaturesMin }: { cosignaturesMin: number },
): void {
  if (cosignatures >= cosignaturesMin) return
  throw new Refusal(
    'cosignatures-missing',
    'Too few witnesses have cosigned a checkpoint that covers the building of the release.',
    { cosignatures, cosignaturesMin },
  )
}

/**
 * Nobody judges their own: not who asked for the release, not who receives it, not who proposed the project.
 *
 * @throws {Refusal} `own-act`.
 */
export function requireNoOwnAct(
  accountId: string,
  release: { createdBy: string; recipientId: string },
  project: { createdBy: string },
): void {
  if ([release.createdBy, release.recipientId, project.createdBy].includes(accountId)) {
    throw new Refusal(
      'own-act',
      'Neither who asked for a release, nor its recipient, nor who proposed its project judges it.',
    )
  }
}
