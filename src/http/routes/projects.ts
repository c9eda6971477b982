import { z } from 'zod'
import { approveProject } from '../../actions/approve-project.ts'
import type { Deps } from '../../actions/deps.ts'
import { projectProposalSchema, proposeProject } from '../../actions/propose-project.ts'
import { showProject, showProjects } from '../../actions/show-project.ts'
import { showCanaryAnswers, showRecipe } from '../../actions/show-recipe.ts'
import { catalogueSchema } from '../../catalogue/schema.ts'
import { canaryAnswersSchema, canarySubmissionSchema } from '../../core/canary-table.ts'
import { recipeSchema } from '../../core/recipe.ts'
import { reviewersNeeded, riskGrades } from '../../core/review.ts'
import type { Project } from '../../store/projects.ts'
import type { App } from '../app.ts'
import { idSchema, problems, projectNameSchema, requireCaller, timeSchema } from '../schemas.ts'

const projectSchema = z
  .object({
    project: idSchema,
    name: z.string(),
    purpose: z.string(),
    state: z.enum(['proposed', 'approved', 'open', 'closed']),
    macAlgorithm: z.string(),
    riskGrade: z.enum(riskGrades),
    reviewersNeeded: z.number().int().describe('Different reviewers that a release needs'),
    cosignaturesMin: z
      .number()
      .int()
      .describe('Witnesses that must have cosigned before an approval'),
    legalBasis: z.string().nullable(),
    noticeVersion: z.string().nullable(),
    irbNumber: z.string().nullable(),
    boardNumber: z.string().nullable(),
    createdAt: timeSchema,
    approvedAt: timeSchema.nullable(),
  })
  .meta({ id: 'Project' })

const paramsSchema = z.strictObject({ project: projectNameSchema })

/** Projects: proposed by one person, opened by another, read by agencies. */
export function projectRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'POST',
    url: '/v1/projects',
    schema: {
      operationId: 'propose-project',
      tags: ['projects'],
      summary: 'Propose a project: catalogue, recipe of keys, agencies',
      body: projectProposalSchema,
      response: { 201: z.object({ project: idSchema }), ...problems },
    },
    handler: async (request, reply) => {
      const project = await proposeProject(deps, requireCaller(request), request.body)
      return reply.code(201).header('location', `/v1/projects/${project}`).send({ project })
    },
  })

  app.route({
    method: 'GET',
    url: '/v1/projects',
    schema: {
      operationId: 'show-projects',
      tags: ['projects'],
      summary: 'The projects that the caller may see',
      response: { 200: z.object({ projects: z.array(projectSchema) }), ...problems },
    },
    handler: async (request) => {
      const projects = await showProjects(deps, requireCaller(request))
      return { projects: projects.map(projectView) }
    },
  })

  app.route({
    method: 'GET',
    url: '/v1/projects/:project',
    schema: {
      operationId: 'show-project',
      tags: ['projects'],
      summary: 'A project and its agencies',
      params: paramsSchema,
      response: {
        200: projectSchema.extend({
          agencies: z.array(
            z.object({
              agency: z.string(),
              isSpine: z.boolean(),
              isDuplicateFree: z.boolean(),
              keyTypes: z.array(z.string()),
            }),
          ),
        }),
        ...problems,
      },
    },
    handler: async (request) => {
      const { project, agencies } = await showProject(
        deps,
        requireCaller(request),
        request.params.project,
      )
      return { ...projectView(project), agencies }
    },
  })

  app.route({
    method: 'POST',
    url: '/v1/projects/:project/approval',
    schema: {
      operationId: 'approve-project',
      tags: ['projects'],
      summary: 'A second person approves; both sides then make the keys',
      params: paramsSchema,
      response: { 202: z.object({ state: z.literal('approved') }), ...problems },
    },
    handler: async (request, reply) => {
      await approveProject(deps, requireCaller(request), request.params.project)
      return reply.code(202).send({ state: 'approved' as const })
    },
  })

  recipeRoutes(app, deps)
}

function recipeRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'GET',
    url: '/v1/projects/:project/recipe',
    schema: {
      operationId: 'show-recipe',
      tags: ['projects'],
      summary: 'For an agency: recipe of keys and its own column lists',
      params: paramsSchema,
      response: {
        200: z.object({
          project: idSchema,
          name: z.string(),
          agency: z.string(),
          recipe: recipeSchema,
          keyTypes: z.array(z.string()),
          tables: catalogueSchema.shape.tables,
        }),
        ...problems,
      },
    },
    handler: async (request) => showRecipe(deps, requireCaller(request), request.params.project),
  })

  app.route({
    method: 'POST',
    url: '/v1/projects/:project/canaries',
    schema: {
      operationId: 'answer-canaries',
      tags: ['projects'],
      summary: 'For an agency: are the keys of the published dummies right, and if not, why',
      params: paramsSchema,
      body: canarySubmissionSchema,
      response: { 200: canaryAnswersSchema, ...problems },
    },
    handler: async (request) =>
      showCanaryAnswers(deps, requireCaller(request), request.params.project, request.body),
  })
}

function projectView(project: Project): z.infer<typeof projectSchema> {
  return {
    project: project.id,
    name: project.name,
    purpose: project.purpose,
    state: project.state,
    macAlgorithm: project.macAlgorithm,
    riskGrade: project.riskGrade,
    reviewersNeeded: reviewersNeeded(project),
    cosignaturesMin: project.cosignaturesMin,
    legalBasis: project.legalBasis,
    noticeVersion: project.noticeVersion,
    irbNumber: project.irbNumber,
    boardNumber: project.boardNumber,
    createdAt: project.createdAt.toISOString(),
    approvedAt: project.approvedAt?.toISOString() ?? null,
  }
}
