import { z } from 'zod'
import type { Deps } from '../../actions/deps.ts'
import { requestRelease } from '../../actions/request-release.ts'
import { showRelease } from '../../actions/show-release.ts'
import { showReleases } from '../../actions/show-releases.ts'
import { policySchema } from '../../core/policy.ts'
import { releaseStates } from '../../core/states.ts'
import type { App } from '../app.ts'
import { idSchema, problems, requireCaller, sha256Schema, timeSchema } from '../schemas.ts'
import { disclosureRoutes } from './disclosure.ts'
import { releaseEndRoutes } from './release-end.ts'
import { releaseFileRoutes } from './release-files.ts'
import { releaseReviewRoutes } from './release-review.ts'

const textMax = 2000

const releaseSchema = z
  .object({
    release: idSchema,
    project: idSchema,
    cohort: idSchema,
    state: z.enum(releaseStates),
    job: idSchema.nullable(),
    policySha256: sha256Schema,
    manifest: z.record(z.string(), z.unknown()).nullable(),
    manifestSha256: sha256Schema.nullable(),
    signatureKey: z.string().nullable().describe('Ed25519 public key of manifest.json.sig, base64'),
    recipient: z.string(),
    purpose: z.string(),
    place: z.string(),
    validUntil: timeSchema.nullable(),
    files: z.array(
      z.object({
        name: z.string(),
        bytes: z.number().int(),
        rows: z.number().int().nullable(),
        sha256: sha256Schema,
      }),
    ),
    findings: z.array(
      z.object({
        kind: z.string(),
        verdict: z.string(),
        reviewer: z.string(),
        reason: z.string(),
        createdAt: timeSchema,
      }),
    ),
    createdAt: timeSchema,
    builtAt: timeSchema.nullable(),
    approvedAt: timeSchema.nullable(),
    endedAt: timeSchema.nullable().describe('Recalled, expired or reported as ended'),
    endReportDueAt: timeSchema.nullable(),
    destructionDueAt: timeSchema.nullable(),
    destructionJob: idSchema.nullable(),
    destroyedAt: timeSchema.nullable(),
  })
  .meta({ id: 'Release' })

const releaseParams = z.strictObject({ release: idSchema })

/** Releases: asked for, built, reviewed, approved, taken by their recipient. */
export function releaseRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'POST',
    url: '/v1/cohorts/:cohort/releases',
    schema: {
      operationId: 'request-release',
      tags: ['releases'],
      summary: 'For an operator: build a release of a cohort under a policy',
      params: z.strictObject({ cohort: idSchema }),
      body: z.strictObject({
        policy: policySchema,
        recipient: z.string().max(63),
        purpose: z.string().min(1).max(textMax),
        place: z.string().min(1).max(textMax),
        validUntil: timeSchema,
      }),
      response: { 202: z.object({ release: idSchema, job: idSchema }), ...problems },
    },
    handler: async (request, reply) => {
      const wanted = await requestRelease(deps, requireCaller(request), {
        ...request.body,
        cohort: request.params.cohort,
        validUntil: new Date(request.body.validUntil),
      })
      return reply.code(202).header('location', `/v1/releases/${wanted.release}`).send(wanted)
    },
  })

  app.route({
    method: 'GET',
    url: '/v1/releases/:release',
    schema: {
      operationId: 'show-release',
      tags: ['releases'],
      summary: 'A release, its manifest, files and findings',
      params: releaseParams,
      response: { 200: releaseSchema, ...problems },
    },
    handler: async (request) =>
      releaseView(await showRelease(deps, requireCaller(request), request.params.release)),
  })

  listRoute(app, deps)
  disclosureRoutes(app, deps)
  releaseReviewRoutes(app, deps)
  releaseFileRoutes(app, deps)
  releaseEndRoutes(app, deps)
}

const dutySchema = z
  .object({
    release: idSchema,
    project: idSchema,
    state: z.enum(releaseStates),
    recipient: z.string(),
    isOverdue: z.boolean().describe('Something is owed that was due before now'),
    validUntil: timeSchema.nullable(),
    endedAt: timeSchema.nullable(),
    endReportDueAt: timeSchema.nullable(),
    endReportedAt: timeSchema.nullable(),
    destructionDueAt: timeSchema.nullable(),
    copiesDestroyedAt: timeSchema.nullable(),
    destroyedAt: timeSchema.nullable(),
  })
  .meta({ id: 'ReleaseDuty' })

function listRoute(app: App, deps: Deps): void {
  app.route({
    method: 'GET',
    url: '/v1/releases',
    schema: {
      operationId: 'show-releases',
      tags: ['releases'],
      summary: 'For operators and auditors: releases and what is owed after them',
      querystring: z.strictObject({
        overdue: z.enum(['true', 'false']).default('false').describe('Only those that are overdue'),
      }),
      response: { 200: z.object({ releases: z.array(dutySchema) }), ...problems },
    },
    handler: async (request) => {
      const isOverdue = request.query.overdue === 'true'
      const duties = await showReleases(deps, requireCaller(request), { isOverdue })
      const timeOf = (time: Date | null): string | null => time?.toISOString() ?? null
      return {
        releases: duties.map((duty) => ({
          release: duty.id,
          project: duty.projectId,
          state: duty.state,
          recipient: duty.recipient,
          isOverdue: duty.isOverdue,
          validUntil: timeOf(duty.validUntil),
          endedAt: timeOf(duty.endedAt),
          endReportDueAt: timeOf(duty.endReportDueAt),
          endReportedAt: timeOf(duty.endReportedAt),
          destructionDueAt: timeOf(duty.destructionDueAt),
          copiesDestroyedAt: timeOf(duty.copiesDestroyedAt),
          destroyedAt: timeOf(duty.destroyedAt),
        })),
      }
    },
  })
}

function releaseView(
  shown: Awaited<ReturnType<typeof showRelease>>,
): z.infer<typeof releaseSchema> {
  const { release } = shown
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  return {
    release: release.id,
    project: release.projectId,
    cohort: release.cohortId,
    state: release.state,
    job: release.jobId,
    policySha256: hex(release.policySha256),
    manifest: release.manifest,
    manifestSha256: release.manifestSha256 && hex(release.manifestSha256),
    signatureKey: release.signatureKey && Buffer.from(release.signatureKey).toString('base64'),
    recipient: release.recipient,
    purpose: release.purpose,
    place: release.place,
    validUntil: release.validUntil?.toISOString() ?? null,
    files: shown.files.map(({ name, bytes, rows, sha256 }) => ({
      name,
      bytes,
      rows,
      sha256: hex(sha256),
    })),
    findings: shown.findings.map(({ kind, verdict, reviewer, reason, createdAt }) => ({
      kind,
      verdict,
      reviewer,
      reason,
      createdAt: createdAt.toISOString(),
    })),
    createdAt: release.createdAt.toISOString(),
    builtAt: release.builtAt?.toISOString() ?? null,
    approvedAt: release.approvedAt?.toISOString() ?? null,
    endedAt: release.endedAt?.toISOString() ?? null,
    endReportDueAt: release.endReportDueAt?.toISOString() ?? null,
    destructionDueAt: release.destructionDueAt?.toISOString() ?? null,
    destructionJob: release.destructionJobId,
    destroyedAt: release.destroyedAt?.toISOString() ?? null,
  }
}
