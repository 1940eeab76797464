CREATE TABLE `belongings` (
	`owner` text NOT NULL,
	`kind` text NOT NULL,
	`id` text NOT NULL,
	`target` text NOT NULL,
	`alias` text,
	`facts` text NOT NULL,
	`created_at` integer NOT NULL,
	`settled` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`owner`, `kind`, `id`)
);
--> statement-breakpoint
CREATE INDEX `belongings_list` ON `belongings` (`owner`,`kind`,`created_at`);