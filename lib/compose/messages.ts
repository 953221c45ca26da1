import type { Config } from '../config/load.ts';
import type { Steps } from '../decision/steps.ts';
import { createMcpSteps } from '../request/mcp/steps.ts';

/** The steps of messages of MCP, or null where no row asks for them: then nothing is paid for them. */
export function composeMessages({ settings, documents }: Config): NonNullable<Steps['byMessage']> | null {
  if (documents.endpoints.every(({ mcp }) => mcp === undefined)) return null;
  return createMcpSteps({ legacy: settings.mcpLegacy, maximumBodyBytes: settings.maximumBodyBytes });
}
