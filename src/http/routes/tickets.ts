import { z } from 'zod'
import { answerTicket } from '../../actions/answer-ticket.ts'
import type { Deps } from '../../actions/deps.ts'
import { readQuestions } from '../../actions/read-questions.ts'
import { requestTicket } from '../../actions/request-ticket.ts'
import { showTickets } from '../../actions/show-tickets.ts'
import { ticketCasesMax } from '../../core/ticket-answers.ts'
import type { App } from '../app.ts'
import { digestOf } from '../content-digest.ts'
import { idSchema, problems, projectNameSchema, requireCaller, timeSchema } from '../schemas.ts'
import { sendList } from '../send-list.ts'

const answersBytesMax = 128 * 1024 // A thousand lines of 46 characters, and room.
const ticketPath = z.strictObject({ ticket: idSchema })

const ticketSchema = z
  .object({
    ticket: idSchema,
    linkage: idSchema.describe('Whose cases they are'),
    agency: z.string().describe('Who is asked'),
    state: z.enum(['queued', 'open', 'answered', 'closed', 'failed']),
    cases: z.number().int(),
    asked: z.number().int().describe('Cases of which the agency holds two records'),
    answered: z.number().int(),
    unasked: z.array(idSchema).nullable().describe('The other cases; null to an agency'),
    hasList: z.boolean().describe('The questions can still be fetched'),
    createdAt: timeSchema,
    closedAt: timeSchema.nullable().describe('When a newer linkage was there'),
  })
  .meta({ id: 'Ticket' })

/** Tickets: agencies are asked about cases, by their own serials. */
export function ticketRoutes(app: App, deps: Deps): void {
  askingRoutes(app, deps)
  app.route({
    method: 'GET',
    url: '/v1/tickets/:ticket/questions',
    exposeHeadRoute: false, // Asking without taking would be a taking in the trail.
    schema: {
      operationId: 'read-questions',
      tags: ['tickets'],
      summary: 'For the agency that is asked: pairs of its own serials',
      params: ticketPath,
      produces: ['text/csv'],
      response: { 200: z.unknown().describe('CSV: case, serial_a, serial_b'), ...problems },
    },
    handler: async (request, reply) => {
      const { ticket } = request.params
      return sendList(reply, await readQuestions(deps, requireCaller(request), ticket))
    },
  })
  app.register(async (scope) => answerRoute(scope as unknown as App, deps))
}

function askingRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'POST',
    url: '/v1/projects/:project/tickets',
    schema: {
      operationId: 'request-ticket',
      tags: ['tickets'],
      summary: 'Ask an agency about cases of which it holds two records',
      params: z.strictObject({ project: projectNameSchema }),
      body: z.strictObject({
        agency: z.string().min(1).max(63),
        cases: z
          .array(idSchema)
          .min(1)
          .max(ticketCasesMax)
          .refine((cases) => new Set(cases).size === cases.length, 'A case is named once.'),
      }),
      response: { 202: z.object({ ticket: idSchema, job: idSchema }), ...problems },
    },
    handler: async (request, reply) => {
      const wanted = { ...request.params, ...request.body }
      return reply.code(202).send(await requestTicket(deps, requireCaller(request), wanted))
    },
  })
  app.route({
    method: 'GET',
    url: '/v1/projects/:project/tickets',
    schema: {
      operationId: 'show-tickets',
      tags: ['tickets'],
      summary: 'The newest tickets: of every agency, or to an agency those that it was asked',
      params: z.strictObject({ project: projectNameSchema }),
      response: { 200: z.object({ tickets: z.array(ticketSchema) }), ...problems },
    },
    handler: async (request) => {
      const caller = requireCaller(request)
      const found = await showTickets(deps, caller, request.params.project)
      const tickets = found.map((ticket) => ({
        ticket: ticket.id,
        linkage: ticket.linkageId,
        agency: ticket.agency,
        state: ticket.state,
        cases: ticket.cases,
        asked: ticket.asked,
        answered: ticket.answered,
        unasked: caller.kind === 'agency' ? null : ticket.unasked,
        hasList: ticket.objectId !== null,
        createdAt: ticket.createdAt.toISOString(),
        closedAt: ticket.closedAt?.toISOString() ?? null,
      }))
      return { tickets }
    },
  })
}

function answerRoute(app: App, deps: Deps): void {
  app.removeAllContentTypeParsers()
  const limits = { parseAs: 'buffer', bodyLimit: answersBytesMax } as const
  app.addContentTypeParser('text/csv', limits, (_, body, done) => {
    done(null, body)
  })
  app.route({
    method: 'PUT',
    url: '/v1/tickets/:ticket/answers',
    schema: {
      operationId: 'answer-ticket',
      tags: ['tickets'],
      summary: 'For the agency that is asked: same, not-same or unknown of each case',
      params: ticketPath,
      consumes: ['text/csv'],
      headers: z.looseObject({
        'content-digest': z.string().max(200).optional().describe('RFC 9530: `sha-256=:base64:`'),
      }),
      body: z
        .unknown()
        .describe('CSV: case, answer. Taken whole or not at all; a later one counts'),
      response: {
        200: z.object({ answered: z.number().int(), asked: z.number().int() }),
        ...problems,
      },
    },
    handler: async (request) => {
      const sha256 = digestOf(request.headers['content-digest'])
      const csv = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const sent = { ticketId: request.params.ticket, csv, ...(sha256 && { sha256 }) }
      return await answerTicket(deps, requireCaller(request), sent)
    },
  })
}
