import { z } from 'zod'
import { approveRelease } from '../../actions/approve-release.ts'
import type { Deps } from '../../actions/deps.ts'
import { readReleaseFile } from '../../actions/read-release-file.ts'
import { recordFinding } from '../../actions/record-finding.ts'
import { requestRelease } from '../../actions/request-release.ts'
import { showRelease } from '../../actions/show-release.ts'
import { policySchema } from '../../core/policy.ts'
import type { App } from '../app.ts'
import { idSchema, problems, requireCaller, sha256Schema, timeSchema } from '../schemas.ts'

const textMax = 2000

const releaseSchema = z
  .object({
    release: idSchema,
    project: idSchema,
    cohort: idSchema,
    state: z.string(),
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

  reviewRoutes(app, deps)
  fileRoutes(app, deps)
}

function reviewRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'POST',
    url: '/v1/releases/:release/findings',
    schema: {
      operationId: 'record-finding',
      tags: ['releases'],
      summary: 'For a reviewer: one of three questions, answered about exactly this manifest',
      params: releaseParams,
      body: z.strictObject({
        kind: z.enum(['relevance', 'recognisability', 'safety']),
        verdict: z.enum(['pass', 'fail']),
        reason: z.string().min(1).max(textMax),
        manifestSha256: sha256Schema,
        declaresNoInterest: z.literal(true),
      }),
      response: { 201: z.object({ recorded: z.literal(true) }), ...problems },
    },
    handler: async (request, reply) => {
      const releaseId = request.params.release
      await recordFinding(deps, requireCaller(request), { ...request.body, releaseId })
      return reply.code(201).send({ recorded: true as const })
    },
  })

  app.route({
    method: 'POST',
    url: '/v1/releases/:release/approval',
    schema: {
      operationId: 'approve-release',
      tags: ['releases'],
      summary: 'For the head: these bytes, this recipient, purpose, place and period',
      params: releaseParams,
      body: z.strictObject({
        manifestSha256: sha256Schema,
        recipient: z.string().max(63),
        purpose: z.string().max(textMax),
        place: z.string().max(textMax),
        validUntil: timeSchema,
      }),
      response: { 202: z.object({ job: idSchema }), ...problems },
    },
    handler: async (request, reply) => {
      const job = await approveRelease(deps, requireCaller(request), {
        ...request.body,
        releaseId: request.params.release,
        validUntil: new Date(request.body.validUntil),
      })
      return reply.code(202).header('location', `/v1/jobs/${job}`).send({ job })
    },
  })
}

function fileRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'GET',
    url: '/v1/releases/:release/files/*',
    schema: {
      operationId: 'read-release-file',
      tags: ['releases'],
      summary: 'For the recipient: a file of the approved package',
      params: z.strictObject({ release: idSchema, '*': z.string().min(1).max(200) }),
      produces: ['application/octet-stream'],
      response: { 200: z.unknown().describe('The bytes of the file'), ...problems },
    },
    handler: async (request, reply) => {
      const { file, body } = await readReleaseFile(deps, requireCaller(request), {
        releaseId: request.params.release,
        name: request.params['*'],
      })
      const digest = Buffer.from(file.sha256).toString('base64')
      reply.header('content-length', String(file.bytes))
      reply.header('content-digest', `sha-256=:${digest}:`)
      reply.header('cache-control', 'no-store')
      return reply.type('application/octet-stream').send(body)
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
  }
}
