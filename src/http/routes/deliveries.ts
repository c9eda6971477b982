import { z } from 'zod'
import type { Deps } from '../../actions/deps.ts'
import { openDelivery } from '../../actions/open-delivery.ts'
import { showDeliveries, showDelivery } from '../../actions/show-delivery.ts'
import { submitDelivery } from '../../actions/submit-delivery.ts'
import { withdrawDelivery } from '../../actions/withdraw-delivery.ts'
import { manifestSchema } from '../../core/manifest.ts'
import type { Delivery } from '../../store/deliveries.ts'
import type { Part } from '../../store/parts.ts'
import type { App } from '../app.ts'
import {
  idSchema,
  problems,
  projectNameSchema,
  requireCaller,
  sha256Schema,
  timeSchema,
} from '../schemas.ts'

const waveMax = 999

const partSchema = z
  .object({
    table: z.string().describe('Empty for keys'),
    number: z.number().int(),
    state: z.enum(['uploaded', 'taken', 'refused']),
    bytes: z.number().int(),
    sha256: sha256Schema,
    rows: z.number().int().nullable().describe('Counted at intake'),
    rowsTaken: z.number().int().nullable(),
    refusals: z
      .record(z.string(), z.object({ rows: z.number().int(), firstLine: z.number().int() }))
      .nullable()
      .describe('Rows set aside, by reason, with the first line (CSV) or row (Parquet)'),
    report: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'Part' })

const deliverySchema = z
  .object({
    delivery: idSchema,
    project: idSchema,
    agency: z.string(),
    wave: z.number().int(),
    state: z.enum(['open', 'submitted', 'taken', 'refused', 'withdrawn']),
    keysDelivery: idSchema
      .nullable()
      .describe('Of tables only: the delivery whose keys they rest on'),
    job: idSchema.nullable().describe('The job that takes the delivery in'),
    createdAt: timeSchema,
    submittedAt: timeSchema.nullable(),
    endedAt: timeSchema.nullable(),
  })
  .meta({ id: 'Delivery' })

const deliveryWithParts = deliverySchema.extend({ parts: z.array(partSchema) })
const projectParams = z.strictObject({ project: projectNameSchema })
const deliveryParams = z.strictObject({ delivery: idSchema })

/** Deliveries: opened by an agency, filled with parts, submitted with a manifest. */
export function deliveryRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'POST',
    url: '/v1/projects/:project/deliveries',
    schema: {
      operationId: 'open-delivery',
      tags: ['deliveries'],
      summary: 'For an agency: open the delivery of a wave',
      params: projectParams,
      body: z.strictObject({
        wave: z.number().int().min(1).max(waveMax).default(1),
        tablesOnly: z
          .boolean()
          .default(false)
          .describe('Tables to the keys that were delivered for this wave before'),
      }),
      response: { 201: deliveryWithParts, ...problems },
    },
    handler: async (request, reply) => {
      const caller = requireCaller(request)
      const { project } = request.params
      const id = await openDelivery(deps, caller, { project, ...request.body })
      const view = deliveryView(await showDelivery(deps, caller, id))
      return reply.code(201).header('location', `/v1/deliveries/${id}`).send(view)
    },
  })

  app.route({
    method: 'GET',
    url: '/v1/projects/:project/deliveries',
    schema: {
      operationId: 'show-deliveries',
      tags: ['deliveries'],
      summary: 'The deliveries of a project; an agency sees its own',
      params: projectParams,
      response: { 200: z.object({ deliveries: z.array(deliverySchema) }), ...problems },
    },
    handler: async (request) => {
      const { project } = request.params
      const deliveries = await showDeliveries(deps, requireCaller(request), project)
      return { deliveries: deliveries.map(headView) }
    },
  })

  app.route({
    method: 'GET',
    url: '/v1/deliveries/:delivery',
    schema: {
      operationId: 'show-delivery',
      tags: ['deliveries'],
      summary: 'A delivery, its parts and what became of them',
      params: deliveryParams,
      response: { 200: deliveryWithParts, ...problems },
    },
    handler: async (request) =>
      deliveryView(await showDelivery(deps, requireCaller(request), request.params.delivery)),
  })

  app.route({
    method: 'DELETE',
    url: '/v1/deliveries/:delivery',
    schema: {
      operationId: 'withdraw-delivery',
      tags: ['deliveries'],
      summary: 'Withdraw a delivery that is open or in no linkage yet; its parts are destroyed',
      params: deliveryParams,
      response: { 204: z.null(), ...problems },
    },
    handler: async (request, reply) => {
      await withdrawDelivery(deps, requireCaller(request), request.params.delivery)
      return reply.code(204).send(null)
    },
  })

  app.route({
    method: 'POST',
    url: '/v1/deliveries/:delivery/submission',
    schema: {
      operationId: 'submit-delivery',
      tags: ['deliveries'],
      summary: 'Close the delivery over exactly the parts of its manifest and start the intake',
      params: deliveryParams,
      body: manifestSchema,
      response: { 202: z.object({ job: idSchema }), ...problems },
    },
    handler: async (request, reply) => {
      const deliveryId = request.params.delivery
      const submission = { deliveryId, manifest: request.body }
      const job = await submitDelivery(deps, requireCaller(request), submission)
      return reply.code(202).header('location', `/v1/jobs/${job}`).send({ job })
    },
  })
}

function headView(delivery: Delivery): z.infer<typeof deliverySchema> {
  return {
    delivery: delivery.id,
    project: delivery.projectId,
    agency: delivery.agency,
    wave: delivery.wave,
    state: delivery.state,
    keysDelivery: delivery.keysDeliveryId,
    job: delivery.jobId,
    createdAt: delivery.createdAt.toISOString(),
    submittedAt: delivery.submittedAt?.toISOString() ?? null,
    endedAt: delivery.endedAt?.toISOString() ?? null,
  }
}

function deliveryView(shown: {
  delivery: Delivery
  parts: Part[]
}): z.infer<typeof deliveryWithParts> {
  return {
    ...headView(shown.delivery),
    parts: shown.parts.map((part) => ({
      table: part.table,
      number: part.number,
      state: part.state,
      bytes: part.bytes,
      sha256: Buffer.from(part.sha256).toString('hex'),
      rows: part.rows,
      rowsTaken: part.rowsTaken,
      refusals: part.refusals,
      report: part.report,
    })),
  }
}
