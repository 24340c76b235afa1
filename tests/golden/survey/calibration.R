# Means of sample.csv with calibrated weights of respondents, strata and clusters.
# R 4.2.2, survey 4.1-1. Rscript calibration.R, in this folder: writes calibration.json.

source("common.R")
rows <- read_rows("sample.csv")
people <- rows[!duplicated(rows$respondent), ]
pairs <- lapply(pairs_of(rows), per_respondent, rows, people)
design <- svydesign(ids = ~cluster, strata = ~stratum, weights = ~weight, data = people)

sex_age <- data.frame(sex = rep(SEX$sex, each = 3), age = rep(AGE$age, 2),
                      Freq = c(41, 41, 30, 41, 37, 30))
totals <- c(MARGINS, age_years = 10300)
exact <- list(maxit = 1000, epsilon = 1e-14)
bounds <- c(0.7, 1.5)

calibrated <- function(formula, population, ...) {
  calibrate(design, formula, population, epsilon = 1e-13, maxit = 1000, ...)
}
designs <- list(
  rake = rake(design, list(~sex, ~age), list(SEX, AGE), control = exact),
  post_stratify = postStratify(design, ~sex + age, sex_age),
  linear = calibrated(~sex + age, MARGINS),
  linear_age_years = calibrated(~sex + age + age_years, totals),
  raking = calibrated(~sex + age, MARGINS, calfun = "raking"),
  raking_age_years = calibrated(~sex + age + age_years, totals, calfun = "raking"),
  linear_bounded = calibrated(~sex + age + age_years, totals, bounds = bounds),
  logit_bounded = calibrated(~sex + age + age_years, totals, bounds = bounds, calfun = "logit")
)
auxiliaries <- list(
  rake = ~sex + age, post_stratify = ~sex * age, linear = ~sex + age,
  linear_age_years = ~sex + age + age_years, raking = ~sex + age,
  raking_age_years = ~sex + age + age_years, linear_bounded = ~sex + age + age_years,
  logit_bounded = ~sex + age + age_years
)

# One rule for all: residuals of the regression weighted by the starting weights, times the final
# weights. `regression` names the weights of the regression.
with_residuals <- function(name, regression = people$weight) {
  final <- weights(designs[[name]])
  fit <- lm.wfit(model.matrix(auxiliaries[[name]], people), linearized(pairs, final), regression)
  variance(fit$residuals * final, design)
}

estimates <- function(name) {
  final <- weights(designs[[name]])
  variables <- linearized(pairs, final)
  covariance <- unname(vcov(svytotal(variables, designs[[name]])))
  rule <- with_residuals(name)
  # Only the alternating projections of rake() regress otherwise: without weights.
  agree(covariance, if (name == "rake") with_residuals(name, 0 * final + 1) else rule)
  c(reported(weighted_means(pairs, final), covariance),
    if (name == "rake") list(regression_rule = list(se = square(sqrt(diag(rule))),
                                                    covariance = rule)),
    list(weight = final, g = final / people$weight, degf = degf(designs[[name]])))
}

population <- list(
  total = 220,
  sex = as.list(setNames(SEX$Freq, SEX$sex)), age = as.list(setNames(AGE$Freq, AGE$age)),
  sex_age = lapply(split(sex_age, sex_age$sex), function(cells) {
    as.list(setNames(cells$Freq, cells$age))
  }),
  age_years = 10300
)
names <- setNames(names(designs), names(designs))
write_json(list(population = population, bounds = bounds,
                respondents = as.character(people$respondent),
                starting_weight = people$weight, designs = lapply(names, estimates)),
           "calibration.json")
