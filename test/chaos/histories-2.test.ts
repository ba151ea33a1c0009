import { playHistories } from './chaos.ts';

playHistories(2);
