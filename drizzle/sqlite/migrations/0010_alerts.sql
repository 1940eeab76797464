CREATE TABLE `alert_habits` (
	`subject` text PRIMARY KEY NOT NULL,
	`facts` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `alert_silences` (
	`id` text PRIMARY KEY NOT NULL,
	`until` integer NOT NULL,
	`facts` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `alerts` (
	`id` text PRIMARY KEY NOT NULL,
	`resolved_at` integer,
	`facts` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `alerts_resolved` ON `alerts` (`resolved_at`);