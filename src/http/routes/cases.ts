import { z } from 'zod'
import type { Deps } from '../../actions/deps.ts'
import { judgeCase } from '../../actions/judge-case.ts'
import { exportCases, showCases } from '../../actions/show-cases.ts'
import { caseColumns, caseSheet } from '../../core/case-sheet.ts'
import { ticketAnswers } from '../../core/ticket-answers.ts'
import type { CaseFilter } from '../../store/case-list.ts'
import type { App } from '../app.ts'
import { idSchema, problems, requireCaller } from '../schemas.ts'

const pageMax = 1000
const verdictSchema = z.enum(['must-link', 'cannot-link', 'undecided'])
const kindSchema = z
  .enum(['possible', 'conflict', 'merge', 'doubted'])
  .describe(
    'It may be the person; it names the person and something forbids it; two of the spine; its agency doubts the link',
  )

const stateSchema = z
  .enum(['open', 'pending', 'decided'])
  .describe('Nobody said anything; a second person has to agree; decided to be one person or two')

const sexSchema = z.enum(['M', 'F'])
const bandSchema = z.string().regex(/^(\d\d-\d\d|85\+)$/)

const countSchema = z.object({ kind: kindSchema, state: stateSchema, cases: z.number().int() })

const caseSchema = z
  .object({
    case: idSchema.describe('The same in every linkage'),
    kind: kindSchema,
    agency: z.string().describe('Whose record it is'),
    wave: z.number().int().describe('That brought the record last'),
    pass: z.number().int().nullable(),
    pattern: z
      .string()
      .nullable()
      .describe(
        'K1 to K5, a letter each: = agrees, x differs, - is missing, n is joined by a notice, . was not looked at',
      ),
    candidates: z.number().int().describe('Persons that the record may be'),
    nameShared: z.number().int().nullable().describe('Records with the name key that agrees'),
    state: stateSchema,
    decision: verdictSchema.nullable().describe('By two people; holds from the next linkage on'),
    pending: verdictSchema.nullable().describe('An opinion that a second person has to agree to'),
    pendingBy: z.string().nullable(),
    answer: z
      .enum(ticketAnswers)
      .nullable()
      .describe('Whether two records of that agency are one person, as it said; decides nothing'),
    sex: sexSchema.nullable().describe('Of the person; null until the linkage is counted'),
    ageBand: bandSchema.nullable().describe('Five years, at the first diagnosis'),
    year: z.number().int().nullable().describe('Of the first diagnosis'),
    recordSex: sexSchema.nullable().describe("As the record's own agency tells"),
    recordAgeBand: bandSchema.nullable().describe('At the same time, by the birth it has'),
  })
  .meta({ id: 'Case' })

const filterSchema = z.strictObject({
  kind: kindSchema.optional(),
  agency: z.string().max(63).optional(),
  state: stateSchema.optional(),
  pass: z.coerce.number().int().min(0).max(99).optional(),
  sex: sexSchema.optional(),
  ageBand: bandSchema.optional(),
  year: z.coerce.number().int().min(1900).max(2999).optional(),
})

/** The worklist: cases that the rules left open, and what people say of them. */
export function caseRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'GET',
    url: '/v1/linkages/:linkage/cases',
    schema: {
      operationId: 'show-cases',
      tags: ['linkages'],
      summary: 'What a linkage left open, without identifiers: the gravest first, then rare names',
      params: z.strictObject({ linkage: idSchema }),
      querystring: filterSchema.extend({
        after: idSchema.optional().describe('The last case of the page before'),
        limit: z.coerce.number().int().min(1).max(pageMax).default(100),
      }),
      response: {
        200: z.object({
          cases: z.array(caseSchema),
          counts: z.array(countSchema).describe('Of all cases, whatever was asked for'),
          next: idSchema.nullable(),
        }),
        ...problems,
      },
    },
    handler: async (request) => {
      const { after = null, limit } = request.query
      const wanted = { ...request.params, ...filterOf(request.query), after, limit }
      const { cases, counts } = await showCases(deps, requireCaller(request), wanted)
      const next = cases.length === limit ? (cases.at(-1)?.caseId ?? null) : null
      return {
        cases: cases.map(({ caseId, ...rest }) => ({ case: caseId, ...rest })),
        counts,
        next,
      }
    },
  })

  app.route({
    method: 'GET',
    url: '/v1/linkages/:linkage/cases.csv',
    schema: {
      operationId: 'export-cases',
      tags: ['linkages'],
      summary: 'The whole worklist as a table',
      params: z.strictObject({ linkage: idSchema }),
      querystring: filterSchema,
      produces: ['text/csv'],
      response: { 200: z.unknown().describe(`CSV: ${caseColumns.join(', ')}`), ...problems },
    },
    handler: async (request, reply) => {
      const wanted = { ...request.params, ...filterOf(request.query) }
      const cases = await exportCases(deps, requireCaller(request), wanted)
      return reply.type('text/csv').send(Buffer.from(caseSheet(cases)))
    },
  })

  app.route({
    method: 'POST',
    url: '/v1/cases/:case/opinions',
    schema: {
      operationId: 'judge-case',
      tags: ['linkages'],
      summary: 'One of two people who decide a case: one person, two, or undecided again',
      params: z.strictObject({ case: idSchema }),
      body: z.strictObject({ verdict: verdictSchema, reason: z.string().min(1).max(2000) }),
      response: {
        201: z.object({
          decision: verdictSchema.nullable().describe('Null: a second person has to agree'),
        }),
        ...problems,
      },
    },
    handler: async (request, reply) => {
      const said = { caseId: request.params.case, ...request.body }
      const decision = await judgeCase(deps, requireCaller(request), said)
      return reply.code(201).send({ decision })
    },
  })
}

function filterOf(query: z.infer<typeof filterSchema>): CaseFilter {
  const { kind = null, agency = null, state = null, pass = null } = query
  const { sex = null, ageBand = null, year = null } = query
  return { kind, agency, state, pass, sex, ageBand, year }
}
