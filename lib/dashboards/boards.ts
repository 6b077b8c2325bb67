/** The six dashboards over Prometheus, in the order in which people go through them. */
import type { Board } from './board.ts';
import { ALERTS_BOARD } from './boards/alerts.ts';
import { FEATURE_BOARD } from './boards/feature.ts';
import { FLEET } from './boards/fleet.ts';
import { MODEL_BOARD } from './boards/model.ts';
import { PERFORMANCE } from './boards/performance.ts';
import { PIPELINE } from './boards/pipeline.ts';

export const BOARDS: readonly Board[] = [FLEET, MODEL_BOARD, FEATURE_BOARD, PERFORMANCE, ALERTS_BOARD, PIPELINE];
